import { Bar } from '../pieces/pieces.tsx';
import { useDeps } from '../shell/deps.ts';
import { percent } from '../view/format.ts';
import { downloads, useDownload, type Wanted } from './downloads.ts';

/** Get, and while it comes how far it is. */
export function GetButton({ object, describedBy, small = true }: { object: Wanted; describedBy?: string; small?: boolean }) {
  const { lull } = useDeps();
  const download = useDownload(object.id);
  if (download?.kind === 'getting') {
    const share = object.size === 0 ? 0 : download.doneBytes / object.size;
    return (
      <span className={small ? 'getting' : 'getting large'}>
        <Bar label={`${object.name}, fetched`} value={share} shares={[{ tone: 'tide', share }]} />
        <span className="sm nowrap mute" aria-hidden="true">
          {percent(share)}
        </span>
        <button type="button" className="link sm" onClick={() => downloads.stop(object.id)}>
          Stop
        </button>
      </span>
    );
  }
  return (
    <button
      type="button"
      className={small ? 'btn ghost small' : 'btn'}
      aria-describedby={describedBy}
      onClick={() => void downloads.start(lull, object)}
    >
      Get
    </button>
  );
}

export function hasOutcome(download: ReturnType<typeof useDownload>): boolean {
  return download?.kind === 'failed' || (download?.kind === 'got' && download.preview !== null);
}

/** What came of it: a look at a small picture or text, or why it did not come. Pictures and text are shown as such; nothing in them runs. */
export function GetOutcome({ object }: { object: Wanted }) {
  const download = useDownload(object.id);
  if (download === undefined || download.kind === 'getting') return null;
  const hide = (
    <button type="button" className="link sm" onClick={() => downloads.forget(object.id)}>
      Hide
    </button>
  );
  if (download.kind === 'failed') {
    return (
      <p className="between sm wrong" role="alert">
        <span>
          {object.name} could not be fetched: {download.sentence}
        </span>
        {hide}
      </p>
    );
  }
  if (download.preview === null) return null;
  return (
    <figure className="preview" aria-label={`Preview of ${object.name}`}>
      {download.preview.kind === 'image' ? (
        <img src={download.preview.url} alt={object.name} />
      ) : (
        <pre>
          {download.preview.text}
          {download.preview.cut ? '…' : ''}
        </pre>
      )}
      <figcaption className="between mute sm">
        <span>
          {download.preview.kind === 'text' && download.preview.cut ? 'Its beginning; the whole was saved.' : 'It was saved too.'}
        </span>
        {hide}
      </figcaption>
    </figure>
  );
}
