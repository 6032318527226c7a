import { TrtError } from '../../errors.js'
import { type FunctionProto, type ModelProto, newMessage } from '../io/proto.js'

/** Versions of the operator sets that a model or a function imports, by domain; ONNX's own is `''`. */
export function opsetsOf({ opsetImport }: ModelProto | FunctionProto): ReadonlyMap<string, number> {
  return new Map(opsetImport.map(({ domain, version }) => [ownDomain(domain), Number(version ?? 0)]))
}

/** Sets the version of an operator set, or adds it. @throws {TrtError} `INVALID_ARGUMENT` */
export function setOpsetOf(proto: ModelProto | FunctionProto, domain: string, version: number): void {
  checkVersion(`opset of "${domain}"`, version)
  const entry = proto.opsetImport.find((entry) => ownDomain(entry.domain) === ownDomain(domain))
  if (entry !== undefined) Object.assign(entry, { version, $touched: true })
  else proto.opsetImport = [...proto.opsetImport, newMessage('OperatorSetIdProto', { domain, version })]
  proto.$touched = true
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function checkVersion(what: string, version: number): void {
  if (Number.isSafeInteger(version) && version > 0) return
  throw new TrtError('INVALID_ARGUMENT', `${what}: expected an integer of 1 or more, received ${version}`)
}

/** ONNX's own domain has two names. */
function ownDomain(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain
}
