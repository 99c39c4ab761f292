// A function of a page as the text of an ES module: what is sent sees its arguments and nothing around it.
import { LullError } from './errors.ts';

/** A module whose default export is `fn`. A method is written `name(...) {}`, as no arrow function can begin, and is sent within an object. */
export function moduleOf(fn: (...args: never[]) => unknown): string {
  const text = Function.prototype.toString.call(fn);
  if (text.includes('[native code]'))
    throw new LullError('bad-input', 'A built-in function cannot be sent: wrap it, as in (x) => Math.sqrt(x).');
  const method = /^(?:async\s+)?\*?\s*(?!function\b|class\b|async\b)([\w$]+)\s*\(/.exec(text);
  return method === null ? `export default (${text});` : `export default ({ ${text} })[${JSON.stringify(method[1])}];`;
}
