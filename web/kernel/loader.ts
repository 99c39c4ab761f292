// Reads the boot document (public/boot.xml) into a plan: which managers, drivers, bindings and services to bring up, in which
// order. Pure. Whatever is wrong is refused with its line, its column and the reason, so that the page can say so.
import { SaxesParser } from 'saxes';
import { failure, success, type Outcome } from './lib/outcome.ts';

export const bootDocumentCharsMax = 64 * 1024;
const namesMax = 64;

export interface BootKnowledge {
  readonly drivers: readonly string[];
  readonly bindings: readonly string[];
  readonly services: readonly string[];
}

export interface BootPlan {
  readonly drivers: readonly string[];
  /** Wire bindings in order of preference. Empty: the tab runs alone. */
  readonly bindings: readonly string[];
  /** In the order to start them: what a service needs comes before it; otherwise as written. */
  readonly services: readonly string[];
}

class BootError extends Error {
  constructor(
    readonly offset: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}

interface Tag {
  readonly name: string;
  /** Offset of its `<` in the document. */
  readonly offset: number;
  readonly attributes: Record<string, string>;
}

interface Named {
  readonly name: string;
  readonly needs: readonly string[];
  readonly offset: number;
}

/** The sections of `<lull>`, in the only order that works: each needs those before it. */
const sections = ['security-manager', 'uri-manager', 'dispatcher', 'drivers', 'network-manager', 'services'] as const;
type Section = (typeof sections)[number];
const itemOf: { readonly [S in Section]?: { readonly tag: string; readonly attributes: readonly string[] } } = {
  drivers: { tag: 'driver', attributes: ['name'] },
  'network-manager': { tag: 'binding', attributes: ['name'] },
  services: { tag: 'service', attributes: ['name', 'needs'] },
};

/** Faults: 'too-large', 'malformed'; the message says the line, the column and the reason, for a person. */
export function parseBootDocument(text: string, known: BootKnowledge): Outcome<BootPlan> {
  if (text.length > bootDocumentCharsMax)
    return failure('too-large', `The boot document has more than ${bootDocumentCharsMax} characters.`);
  try {
    return success(read(text, known));
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const { line, column } = positionOf(text, error.offset);
    return failure('malformed', `The boot document is wrong in line ${line}, column ${column}: ${error.reason}`);
  }
}

/** Both count from 1. */
function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, Math.max(0, offset));
  const lines = before.split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

function read(text: string, known: BootKnowledge): BootPlan {
  const found: Record<Section, Named[]> = {
    'security-manager': [],
    'uri-manager': [],
    dispatcher: [],
    drivers: [],
    'network-manager': [],
    services: [],
  };
  const open: Tag[] = [];
  const seen: Section[] = [];
  let tagOffset = 0;

  const enter = (tag: Tag) => {
    const parent = open.at(-1);
    open.push(tag);
    if (open.length === 1) {
      if (tag.name !== 'lull') throw new BootError(tag.offset, `The document must begin with <lull>, not with <${tag.name}>.`);
      takeAttributes(tag, ['version']);
      if (tag.attributes['version'] !== '1') throw new BootError(tag.offset, 'Only version="1" of the boot document is known.');
      return;
    }
    if (open.length === 2) return enterSection(tag);
    const section = parent?.name as Section;
    const item = itemOf[section];
    if (open.length > 3 || item === undefined || item.tag !== tag.name) {
      throw new BootError(tag.offset, `<${tag.name}> is not known inside <${parent?.name}>.`);
    }
    takeAttributes(tag, item.attributes);
    found[section].push(named(tag, section));
  };

  const enterSection = (tag: Tag) => {
    const section = sections.find((name) => name === tag.name);
    if (section === undefined) throw new BootError(tag.offset, `<${tag.name}> is not known inside <lull>.`);
    takeAttributes(tag, []);
    if (seen.includes(section)) throw new BootError(tag.offset, `<${section}> is there twice.`);
    const later = seen.find((name) => sections.indexOf(name) > sections.indexOf(section));
    if (later !== undefined) throw new BootError(tag.offset, `<${section}> must come before <${later}>.`);
    seen.push(section);
  };

  const named = (tag: Tag, section: Section): Named => {
    const name = tag.attributes['name'];
    if (name === undefined || name === '') throw new BootError(tag.offset, `<${tag.name}> needs a name.`);
    if (found[section].some((other) => other.name === name)) throw new BootError(tag.offset, `The ${tag.name} "${name}" is listed twice.`);
    if (found[section].length >= namesMax) throw new BootError(tag.offset, `At most ${namesMax} may be listed in <${section}>.`);
    const needs = (tag.attributes['needs'] ?? '').split(/\s+/).filter((need) => need !== '');
    const vocabulary = section === 'drivers' ? known.drivers : section === 'network-manager' ? known.bindings : known.services;
    if (!vocabulary.includes(name)) throw new BootError(tag.offset, `There is no ${tag.name} "${name.slice(0, 64)}".`);
    return { name, needs, offset: tag.offset };
  };

  const parser = new SaxesParser<{ position: true; xmlns: false }>({ position: true, xmlns: false });
  parser.on('error', (error) => {
    throw new BootError(Math.max(0, parser.position - 1), `The document is not well formed: ${error.message.replace(/^[\d:]+\s*/, '')}`);
  });
  parser.on('doctype', () => {
    throw new BootError(parser.position - 1, 'A document type is not allowed here.');
  });
  parser.on('processinginstruction', () => {
    throw new BootError(parser.position - 1, 'Processing instructions are not allowed here.');
  });
  parser.on('cdata', () => {
    throw new BootError(parser.position - 1, 'Text is not allowed here, only tags.');
  });
  parser.on('text', (run) => {
    if (run.trim() !== '')
      throw new BootError(
        parser.position - 1 - run.trimStart().length,
        `"${run.trim().slice(0, 40)}" is text, and only tags are allowed here.`,
      );
  });
  // The event comes when the name and the character after it have been read.
  parser.on('opentagstart', ({ name }) => (tagOffset = parser.position - name.length - 2));
  parser.on('opentag', ({ name, attributes }) => enter({ name, offset: tagOffset, attributes }));
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();

  for (const section of ['security-manager', 'uri-manager', 'dispatcher', 'services'] as const) {
    if (!seen.includes(section)) throw new BootError(text.length, `<${section}/> is missing.`);
  }
  const binding = found['network-manager'][0];
  if (binding !== undefined && found.drivers.length === 0) {
    throw new BootError(binding.offset, `The binding "${binding.name}" has no driver to carry it.`);
  }
  return {
    drivers: found.drivers.map(({ name }) => name),
    bindings: found['network-manager'].map(({ name }) => name),
    services: inOrder(found.services),
  };
}

function takeAttributes(tag: Tag, allowed: readonly string[]): void {
  const stranger = Object.keys(tag.attributes).find((name) => !allowed.includes(name));
  if (stranger !== undefined) throw new BootError(tag.offset, `<${tag.name}> has no attribute "${stranger}".`);
}

/** Depth first in the order written; the path so far tells a cycle by name. */
function inOrder(services: readonly Named[]): string[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const done: string[] = [];
  const path: string[] = [];
  const visit = (service: Named) => {
    if (done.includes(service.name)) return;
    if (path.includes(service.name)) {
      const cycle = [...path.slice(path.indexOf(service.name)), service.name].join(' needs ');
      throw new BootError(service.offset, `These services wait for each other: ${cycle}.`);
    }
    path.push(service.name);
    for (const need of service.needs) {
      const needed = byName.get(need);
      if (needed === undefined) throw new BootError(service.offset, `The service "${service.name}" needs "${need}", which is not listed.`);
      visit(needed);
    }
    path.pop();
    done.push(service.name);
  };
  services.forEach(visit);
  return done;
}
