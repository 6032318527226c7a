import { InvalidArgumentError, Option } from 'commander'
import type { InputValues } from '../onnx/index.js'

/** `--assume sr=16000`, `--assume axes=0,1`; repeated for more. */
export function assumeOption(): Option {
  return new Option(
    '--assume <input=value>',
    'what an input is always fed with, e.g. sr=16000 or axes=0,1; repeat for more',
  ).argParser(parse)
}

function parse(text: string, previous: InputValues = {}): InputValues {
  const at = text.lastIndexOf('=')
  const values = text.slice(at + 1).split(',')
  const numbers = values.map((value) => (value === 'true' ? true : value === 'false' ? false : Number(value)))
  const isRead = at > 0 && values.every((value, i) => value.trim() !== '' && !Number.isNaN(Number(numbers[i])))
  if (!isRead)
    throw new InvalidArgumentError('Expected INPUT=VALUE or INPUT=VALUE,VALUE,…, values being numbers, true or false.')
  return { ...previous, [text.slice(0, at)]: numbers.length === 1 ? (numbers[0] as number | boolean) : numbers }
}
