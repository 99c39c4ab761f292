import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bootDocumentCharsMax, parseBootDocument } from './loader.ts';
import { serviceCatalogue } from './service-catalogue.ts';

const known = { drivers: ['webrtc'], bindings: ['msgpack', 'soap'], services: ['a', 'b', 'c'] };
const managers = '<security-manager/><uri-manager/><dispatcher/>';
const document = (
  services: string,
  network = '<drivers><driver name="webrtc"/></drivers><network-manager><binding name="msgpack"/></network-manager>',
) => `<lull version="1">${managers}${network}<services>${services}</services></lull>`;

test('the document of the site is good, and lists every service there is', () => {
  const text = readFileSync(new URL('../../public/boot.xml', import.meta.url), 'utf8');
  const plan = parseBootDocument(text, { drivers: ['webrtc'], bindings: ['msgpack'], services: [...serviceCatalogue.keys()] });
  if (!plan.ok) throw new Error(plan.fault.message);
  expect(plan.value.bindings).toEqual(['msgpack']);
  expect(plan.value.services.toSorted()).toEqual([...serviceCatalogue.keys()].toSorted());
});

test('services come after what they need, otherwise as written', () => {
  const plan = parseBootDocument(document('<service name="c" needs="b a"/><service name="a"/><service name="b" needs=" a "/>'), known);
  expect(plan).toEqual({ ok: true, value: { drivers: ['webrtc'], bindings: ['msgpack'], services: ['a', 'b', 'c'] } });
});

test('without a binding, or without a network manager at all, the plan is a local one', () => {
  for (const network of [
    '',
    '<drivers/>',
    '<network-manager/>',
    '<drivers><driver name="webrtc"/></drivers><network-manager></network-manager>',
  ]) {
    expect(parseBootDocument(document('<service name="a"/>', network), known)).toMatchObject({
      ok: true,
      value: { bindings: [], services: ['a'] },
    });
  }
});

const refusals: readonly (readonly [what: string, text: string, place: string, reason: string])[] = [
  ['nothing', '', 'line 1, column 1', 'root element'],
  ['only a comment', '<!-- later -->', 'line 1, column', 'root element'],
  ['something that is no XML', 'boot, please', 'line 1, column', 'not well formed'],
  ['a tag that is never closed', '<lull version="1">\n  <security-manager>\n</lull>', 'line 3, column', 'not well formed'],
  ['a document cut off', '<lull version="1">\n  <security-man', 'line 2, column', 'not well formed'],
  ['an entity', `<!DOCTYPE lull [<!ENTITY a "b">]>\n${document('')}`, 'line 1, column', 'document type'],
  ['a processing instruction', `<lull version="1">\n<?php echo 1 ?></lull>`, 'line 2, column', 'Processing instructions'],
  ['text', `<lull version="1">\n  ${managers} hello <services/></lull>`, 'line 2, column', '"hello" is text'],
  ['character data', `<lull version="1">\n<![CDATA[x]]></lull>`, 'line 2, column', 'Text is not allowed'],
  ['another root', '<system version="1"/>', 'line 1, column 1', '<lull>'],
  ['no version', `<lull>${managers}<services/></lull>`, 'line 1, column 1', 'version="1"'],
  ['another version', `<lull version="2">${managers}<services/></lull>`, 'line 1, column 1', 'version="1"'],
  ['an unknown tag', `<lull version="1">\n  <virus-scanner/></lull>`, 'line 2, column 3', '<virus-scanner> is not known inside <lull>'],
  [
    'an unknown tag inside',
    `<lull version="1">${managers}\n <services><driver name="a"/></services></lull>`,
    'line 2, column 12',
    '<driver> is not known inside <services>',
  ],
  [
    'a tag inside a manager',
    `<lull version="1"><security-manager>\n<binding name="msgpack"/></security-manager></lull>`,
    'line 2, column 1',
    'not known inside <security-manager>',
  ],
  ['a tag too deep', document('<service name="a">\n<service name="b"/></service>'), 'line 2, column 1', 'not known inside <service>'],
  ['an unknown attribute', document('\n<service name="a" priority="1"/>'), 'line 2, column 1', 'no attribute "priority"'],
  ['an attribute of a section', `<lull version="1">\n<dispatcher fast="yes"/></lull>`, 'line 2, column 1', 'no attribute "fast"'],
  ['an attribute twice', document('\n<service name="a" name="b"/>'), 'line 2, column', 'not well formed'],
  [
    'the wrong order',
    `<lull version="1">\n<uri-manager/>\n<security-manager/></lull>`,
    'line 3, column 1',
    '<security-manager> must come before <uri-manager>',
  ],
  [
    'services before the network',
    `<lull version="1">${managers}<services/>\n<network-manager/></lull>`,
    'line 2, column 1',
    'must come before <services>',
  ],
  ['a section twice', `<lull version="1">${managers}\n<dispatcher/></lull>`, 'line 2, column 1', 'there twice'],
  [
    'a missing manager',
    `<lull version="1"><security-manager/><dispatcher/><services/></lull>`,
    'line 1, column',
    '<uri-manager/> is missing',
  ],
  ['missing services', `<lull version="1">${managers}</lull>`, 'line 1, column', '<services/> is missing'],
  ['a service without a name', document('\n<service/>'), 'line 2, column 1', 'needs a name'],
  ['a service with an empty name', document('\n<service name=""/>'), 'line 2, column 1', 'needs a name'],
  ['an unknown service', document('<service name="a"/>\n<service name="mining"/>'), 'line 2, column 1', 'There is no service "mining"'],
  ['an unknown driver', document('', '<drivers>\n<driver name="radio"/></drivers>'), 'line 2, column 1', 'There is no driver "radio"'],
  [
    'an unknown binding',
    document('', '<drivers><driver name="webrtc"/></drivers><network-manager>\n<binding name="morse"/></network-manager>'),
    'line 2, column 1',
    'There is no binding "morse"',
  ],
  ['a service twice', document('<service name="a"/>\n<service name="a"/>'), 'line 2, column 1', 'listed twice'],
  ['a need that is not listed', document('\n<service name="a" needs="b"/>'), 'line 2, column 1', 'needs "b", which is not listed'],
  ['a service that needs itself', document('\n<service name="a" needs="a"/>'), 'line 2, column 1', 'a needs a'],
  [
    'a cycle',
    document('<service name="a" needs="b"/>\n<service name="b" needs="c"/><service name="c" needs="a"/>'),
    'line 1, column',
    'a needs b needs c needs a',
  ],
  [
    'a binding without a driver',
    document('', '<drivers/><network-manager>\n<binding name="msgpack"/></network-manager>'),
    'line 2, column 1',
    'no driver to carry it',
  ],
];

test.each(refusals)('%s is refused with its place and the reason', (_, text, place, reason) => {
  const outcome = parseBootDocument(text, known);
  expect(outcome).toMatchObject({ ok: false, fault: { code: 'malformed' } });
  const message = outcome.ok ? '' : outcome.fault.message;
  expect(message).toContain(place);
  expect(message).toContain(reason);
});

test('a document beyond its bound is refused unread', () => {
  expect(parseBootDocument(' '.repeat(bootDocumentCharsMax + 1), known)).toMatchObject({ ok: false, fault: { code: 'too-large' } });
});
