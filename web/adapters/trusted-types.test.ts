import { expect, test } from 'vitest';
import { trustOwnScripts } from './trusted-types.ts';

function ruleOf(href: string): (address: string) => string | null {
  let rule: ((address: string) => string | null) | undefined;
  const { origin } = new URL(href);
  trustOwnScripts({
    location: { href, origin },
    trustedTypes: { createPolicy: (_name, rules) => (rule = rules.createScriptURL) },
  });
  return rule!;
}

test('scripts of this site may be run, and no others', () => {
  const rule = ruleOf('https://lull.example/jobs/1');
  expect(rule('/assets/ticker.js')).toBe('/assets/ticker.js');
  expect(rule('https://lull.example/assets/codec.js')).toBe('https://lull.example/assets/codec.js');
  for (const address of [
    'https://evil.example/x.js',
    '//evil.example/x.js',
    'data:text/javascript,1',
    'blob:https://lull.example/1',
    'javascript:1',
    'http://[',
  ])
    expect(rule(address)).toBeNull();
});

test('where the browser knows no Trusted Types nothing is asked of it', () => {
  expect(() => trustOwnScripts({ location: { href: 'https://lull.example/', origin: 'https://lull.example' } })).not.toThrow();
});
