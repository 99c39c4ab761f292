// References to objects, names of files made from strangers' manifests, and what may be shown without being saved.

/** The object's id in what somebody pasted: the bare id, a link to it, or either within a sentence. null where there is none, or two. */
export function referenceIn(text: string): string | null {
  const found = new Set([...text.toLowerCase().matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)].map(([id]) => id));
  return found.size === 1 ? [...found][0]! : null;
}

export const pathOfObject = (id: string) => `/data/${id}`;

/** Characters that could make a name look like another one: controls, and those that turn the direction of writing. */
const deceiving = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A stranger chose the name: one line, and nothing that hides its true ending. */
export function shownName(name: string, id: string): string {
  const clean = name.replaceAll(deceiving, '').trim();
  return clean === '' ? `object ${id.slice(0, 8)}` : clean;
}

export function savedName(name: string, id: string): string {
  const clean = name
    .replaceAll(deceiving, '')
    .replaceAll(/[/\\:*?"<>|]/g, '_')
    .trim()
    .replace(/^\.+/, '');
  return clean === '' ? `lull-${id.slice(0, 12)}` : clean;
}

const imageBytesMax = 8 * 1024 * 1024;
const textBytesMax = 1024 * 1024;
/** Of a text so much is shown; all of it is saved. */
export const previewCharactersMax = 20_000;

/** What may be shown beside the saved file: pictures only in an image element and text only as text, where nothing in them can run. */
export function previewKind(type: string, size: number): 'image' | 'text' | null {
  if (/^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/.test(type)) return size <= imageBytesMax ? 'image' : null;
  if (/^text\/|^application\/(json|xml|javascript|x-ndjson)$/.test(type)) return size <= textBytesMax ? 'text' : null;
  return null;
}
