// Items made by a few lines of code: what somebody writes becomes the body of a generator, which is run once, in this tab's sandbox.

/** A million, which is said in words below. More in one value is slow to hold; what is more than this is better made by the job's own code from a range. */
export const generatedItemsMax = 1_000_000;
const bodyCharsMax = 100_000;

/** A sentence; null where it may be run. */
export function generatorProblem(body: string): string | null {
  if (body.trim() === '') return 'There is no input yet: write a loop that yields items, such as for (let n = 0; n < 10; n++) yield n * n;';
  if (body.length > bodyCharsMax) return `A generator may have at most ${bodyCharsMax / 1_000} 000 characters.`;
  return /\byield\b/.test(body) ? null : 'A generator yields its items, one after the other: for (let n = 0; n < 10; n++) yield n * n;';
}

/** A module that answers with the list of items; `args` are the job's. The body may await something, too. */
export const generatorModule = (body: string): string => `export default async function generate(_, { args, random, now }) {
  const items = [];
  for await (const item of made(args, random, now)) {
    if (items.length === ${generatedItemsMax}) throw new Error('It yields more than a million items.');
    items.push(item);
  }
  return items;
}
async function* made(args, random, now) {
${body}
}
`;
