import { expect, test } from 'vitest';
import { examplesIn, sdkExamples } from './sdk-examples.ts';

test('an example is known by the heading it stands under; what is no example for people is left out', () => {
  const text =
    '# SDK\n\n```html\n<p>\n```\n\n## Results\n\ntext\n\n```js\na();\n```\n\n```ts\nlet b: 1;\n```\n\n```js site\nc();\n```\n\n```js\ne();\n```\n\n## Shell\n\n```sh\nd\n```\n';
  expect(examplesIn(text)).toEqual([
    { title: 'A whole page', language: 'html', code: '<p>\n' },
    { title: 'Results', language: 'js', code: 'a();\n' },
    { title: 'Results (2)', language: 'js', code: 'e();\n' },
    { title: 'Shell', language: 'sh', code: 'd\n' },
  ]);
});

test('those of docs/SDK.md name the site by one name, which the page replaces', () => {
  const examples = sdkExamples();
  expect(examples.length).toBeGreaterThan(10);
  const modules = examples.filter(({ language }) => language !== 'sh');
  expect(modules.filter(({ code }) => !code.includes('https://lull.example/sdk.js'))).toEqual([]);
});
