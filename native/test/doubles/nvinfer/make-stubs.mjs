#!/usr/bin/env node
// Writes, from TensorRT's own headers after the preprocessor, the parts of the libnvinfer double that only repeat them:
// - a class for each interface, which overrides every pure virtual. A setter is noted down with its arguments; anything
//   else says its name and aborts, so that a call which the double does not serve cannot pass unseen.
// - the names of all enumerators, so that a report says kFP16 as the header spells it, and not as our code does.
// Nothing of the headers is kept in the repository: this runs at each build.
// Usage: make-stubs.mjs PREPROCESSED_HEADERS OUTPUT
import { readFileSync, writeFileSync } from 'node:fs'

/** The interfaces that the double serves; `implementation` is the class whose virtuals a call ends in. */
const CLASSES = [
  ...['HostMemory', 'Runtime', 'CudaEngine', 'ExecutionContext', 'OptimizationProfile', 'EngineInspector', 'Refitter'],
  ...['Tensor', 'Layer', 'NetworkDefinition', 'TimingCache', 'BuilderConfig', 'Builder'],
].map((name) => ({ name, interface: `nvinfer1::I${name}`, implementation: `V${name}` }))
CLASSES.push(
  { name: 'PluginRegistry', interface: 'nvinfer1::IPluginRegistry', implementation: 'IPluginRegistry' },
  { name: 'Parser', interface: 'nvonnxparser::IParser', implementation: 'IParser' },
)

/** A setter: what it is told is what a test wants to know, and the double needs to do no more about it. */
const NOTED = /^(set|clear|reset|mark|unmark|add(OptimizationProfile)$)/

const [, , input, output] = process.argv
const text = readFileSync(input, 'utf8')
  .replace(/\[\[[^\]]*\]\]/g, ' ')
  .replace(/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)/g, ' ')
  .replace(/"(?:[^"\\]|\\.)*"/g, '""')

/** The text between the braces that open at or after `from`. */
function braced(from) {
  const open = text.indexOf('{', from)
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return text.slice(open + 1, at)
  }
  throw new Error(`unbalanced braces after ${text.slice(from, from + 80)}`)
}

function enums() {
  const found = new Map()
  for (const match of text.matchAll(/enum class (\w+)\s*:\s*[\w:]+\s*\{/g)) {
    const names = braced(match.index)
      .split(',')
      .map((entry) => entry.trim().match(/^k\w+/)?.[0])
      .filter(Boolean)
    const scope = text.lastIndexOf('namespace nvonnxparser', match.index) >= 0 ? 'nvonnxparser' : 'nvinfer1'
    // Plugins' and safe runtimes' enumerations live in namespaces of their own, and no builder is told of them.
    if (names.length > 0 && !found.has(match[1])) found.set(match[1], { scope, names })
  }
  return found
}

function virtuals(implementation) {
  const start = text.search(new RegExp(`class ${implementation}(\\s*:\\s*public \\w+)?\\s*\\{`))
  if (start < 0) throw new Error(`the headers have no class ${implementation}`)
  return braced(start)
    .replace(/\b(public|protected|private):/g, ' ')
    .split(';')
    .map((statement) => statement.replace(/\s+/g, ' ').trim())
    .filter((statement) => /\bvirtual [^~]*= 0$/.test(statement))
    .map((statement) => {
      const match = statement.match(/virtual (.+?)\b(\w+)\((.*)\)( const)?( noexcept)? = 0$/)
      if (!match) throw new Error(`cannot read: ${statement}`)
      const [, result, name, parameters, isConst = '', isNoexcept = ''] = match
      return {
        result: result.trim(),
        name,
        parameters: parameters.split(',').filter(Boolean).map(parameter),
        isConst,
        isNoexcept,
      }
    })
}

function parameter(declaration, index) {
  const plain = declaration.replace(/=.*$/, '').trim()
  const named = plain.match(/^(.*[\s*&])(\w+)$/)
  return named ? { type: named[1].trim(), name: named[2] } : { type: plain, name: `argument${index}` }
}

const enumerations = enums()

function argumentToJson({ type, name }) {
  // TensorRT writes the type of a set of flags as the plural of its enumeration, over an integer.
  const single = type.replace(/s$/, '')
  return type.endsWith('s') && enumerations.has(single)
    ? `trt_double::flagsToJson<${enumerations.get(single).scope}::${single}>(${name})`
    : `trt_double::toJson(${name})`
}

function override(className, { result, name, parameters, isConst, isNoexcept }) {
  const list = parameters.map((p) => `[[maybe_unused]] ${p.type} ${p.name}`).join(', ')
  const noted = NOTED.test(name) && isConst === ''
  const values = parameters.map((p) => `{"${p.name}", ${argumentToJson(p)}}`).join(', ')
  const body = noted
    ? `note("${name}", {${values}});${result === 'void' ? '' : ` return trt_double::success<${result}>();`}`
    : `trt_double::unserved("I${className}::${name}");`
  return `  ${result} ${name}(${list})${isConst}${isNoexcept} override { ${body} }`
}

function stub({ name, interface: api, implementation }) {
  const bases = implementation.startsWith('V')
    ? `public ${api}, public nvinfer1::apiv::${implementation}`
    : `public ${api}`
  const pointer = name === 'Layer' ? 'mLayer' : 'mImpl'
  const makeSelf = implementation.startsWith('V') ? `  ${name}Stub() { ${pointer} = this; }\n` : ''
  const methods = virtuals(implementation).map((method) => override(name, method))
  return `class ${name}Stub : ${bases}, public trt_double::Noted {\n public:\n${makeSelf}${methods.join('\n')}\n};\n`
}

function enumName(name, { scope, names }) {
  const type = `${scope}::${name}`
  const lines = names.map((n) => `  if (value == ${type}::${n}) return "${n}";`)
  return `inline const char* enumName(${type} value) {\n${lines.join('\n')}\n  return nullptr;\n}\n`
}

/** Every enumeration that a served virtual takes, by value or as flags. */
function usedEnums() {
  const types = CLASSES.flatMap(({ implementation }) => virtuals(implementation)).flatMap((v) =>
    v.parameters.map((p) => p.type),
  )
  const names = types.flatMap((type) => [type, type.replace(/s$/, '')]).filter((type) => enumerations.has(type))
  return [...new Set([...names, 'DataType'])].sort()
}

writeFileSync(
  output,
  `// Generated by make-stubs.mjs from the headers at hand; do not edit.
#pragma once
namespace trt_double {
${usedEnums()
  .map((name) => enumName(name, enumerations.get(name)))
  .join('')}
}  // namespace trt_double
#include "noted.h"
namespace nvinfer1 {
${CLASSES.filter((c) => c.name !== 'Parser')
  .map(stub)
  .join('\n')}
}  // namespace nvinfer1
namespace nvonnxparser {
${stub(CLASSES.at(-1))}
}  // namespace nvonnxparser
`,
)
