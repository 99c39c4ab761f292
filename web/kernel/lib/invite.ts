// What an invite link of a private network says: `#join=<key in hex>&name=<what its maker calls it>`. It stands in the fragment, the
// part of an address that browsers never send: neither the server nor the next page learns the key.

/** Of a private network's key. */
export const networkKeyBytes = 32;

export interface Invite {
  /** Hex, `networkKeyBytes` long. */
  readonly key: string;
  /** As its maker calls it; may be empty. Anybody can write anything there. */
  readonly name: string;
}

/** A private network that somebody has the key of. */
export interface KnownNetwork extends Invite {
  /** `networkIdOf` the key. */
  readonly network: string;
}

export const networkTitleCharsMax = 60;
const head = '#join=';
/** The digits, then an optional name, then whatever a mail program took for a part of the link. */
const form = new RegExp(`^#join=([0-9a-fA-F]{${2 * networkKeyBytes}})(?![0-9a-fA-F])(?:&name=([^&]*))?`);

/** A name that is shown on one line: no control characters, none that turn the direction of what follows. */
export function networkTitleOf(text: string): string {
  const oneLine = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  return Array.from(oneLine).slice(0, networkTitleCharsMax).join('').trim();
}

export function inviteFragment({ key, name }: Invite): string {
  return name === '' ? head + key : `${head}${key}&name=${encodeURIComponent(name)}`;
}

/** undefined where the fragment is none of an invite; 'damaged' where it was one before somebody cut it. */
export function parseInvite(fragment: string): Invite | 'damaged' | undefined {
  if (!fragment.startsWith(head)) return undefined;
  const match = form.exec(fragment);
  if (match === null) return 'damaged';
  return { key: match[1]!.toLowerCase(), name: titleInLink(match[2] ?? '') };
}

/** A name as it stands in a link. */
export function titleInLink(text: string): string {
  try {
    return networkTitleOf(decodeURIComponent(text));
  } catch {
    // Half of an escape: the name is only for people, the key counts.
    return '';
  }
}
