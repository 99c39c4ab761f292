// Runs a reduce step in a Worker of the page: it is that page's own code, and a long one must not hold the page up.
import { LullError } from '../errors.ts';

/** As for the reduce step on the site itself. */
const reduceMsMax = 10 * 60_000;

const worker = `onmessage = async ({ data: { code, values, args } }) => {
  try {
    const { default: reduce } = await import(code);
    if (typeof reduce !== 'function') throw new Error('it must have \`export default (values, task) => ...\`');
    postMessage({ ok: true, value: await reduce(values, { index: 0, args, log: console.log }) });
  } catch (error) {
    postMessage({ ok: false, message: error instanceof Error ? error.name + ': ' + error.message : String(error) });
  }
};`;

const urlOf = (script: string) => URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));

/** @throws LullError 'bad-input' where the step fails, 'refused' where the page may start no Worker, 'too-late' after ten minutes */
export async function runReduce(code: string, values: readonly unknown[], args: unknown): Promise<unknown> {
  const urls = [urlOf(worker), urlOf(code)] as const;
  let running: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const refused = () =>
        reject(
          new LullError(
            'refused',
            "The reduce step needs a Worker, and this page's policy allows none from blob: use reduce(fn, initial).",
          ),
        );
      try {
        running = new Worker(urls[0], { type: 'module', name: 'lull-reduce' });
      } catch {
        return refused();
      }
      timer = setTimeout(() => reject(new LullError('too-late', 'The reduce step took longer than ten minutes.')), reduceMsMax);
      running.onerror = refused;
      running.onmessageerror = () => reject(new LullError('bad-input', 'The reduce step gave what cannot be sent.'));
      running.onmessage = ({ data }: MessageEvent<{ ok: true; value: unknown } | { ok: false; message: string }>) =>
        data.ok ? resolve(data.value) : reject(new LullError('bad-input', `The reduce step failed: ${data.message}`));
      running.postMessage({ code: urls[1], values, args });
    });
  } finally {
    clearTimeout(timer);
    running?.terminate();
    for (const url of urls) URL.revokeObjectURL(url);
  }
}
