import { useCallback } from 'react';
import { isHex64 } from '../../kernel/lib/ids.ts';
import { Empty, PeerName, Skeleton } from '../pieces/pieces.tsx';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { bytes } from '../view/format.ts';
import { CopyButton } from './copy-button.tsx';
import { useDownload } from './downloads.ts';
import { GetButton, GetOutcome, hasOutcome } from './get-object.tsx';
import { CellLegend, Cells, standingOfKept } from './health-cells.tsx';
import { expiresIn, riskExplained, riskWords } from './health.ts';
import type { Seen } from './objects.ts';
import { OpenReference } from './put-card.tsx';
import { pathOfObject, shownName } from './reference.ts';
import { usePolled } from './use-polled.ts';
import { useWall } from './use-wall.ts';
import { kindWord } from './wording.ts';

const everyMs = 2_000;

/** One object, by its reference: also for somebody who never had it. */
export function ObjectPage({ id }: { id: string }) {
  const { objects, lull } = useDeps();
  const ask = useCallback(async () => {
    await lull.ready;
    return objects.look(id);
  }, [objects, lull, id]);
  const { value, problem } = usePolled(ask, everyMs);
  const isId = isHex64(id);
  if (value !== null) return <Found object={value} />;
  return (
    <>
      <div className="page-head">
        <Heading title="Data">
          {problem === '' ? 'Looking for this object' : isId ? 'This object cannot be found now' : 'This is not the address of an object'}
        </Heading>
        <Link to="/data" className="btn ghost">
          All data
        </Link>
      </div>
      <section className="card stack" aria-label="Object">
        {problem === '' ? (
          <Skeleton lines={4} label="The network is being asked" />
        ) : (
          <>
            <Empty title={problem}>
              <p className="mute sm">
                {isId
                  ? 'It may have expired, or nobody who keeps it is online. This page goes on asking; or open another reference.'
                  : 'Part of the address may have been lost when it was copied.'}
              </p>
            </Empty>
            <OpenReference />
          </>
        )}
      </section>
    </>
  );
}

function Found({ object }: { object: Seen }) {
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const now = useWall();
  const name = shownName(object.name, object.id);
  const standing = standingOfKept(object);
  const { sentence, tone, short } = standing;
  const wanted = { id: object.id, name, type: object.type, size: object.size };
  const download = useDownload(object.id);
  const link = location.origin + pathOfObject(object.id);
  return (
    <>
      <div className="page-head">
        <div>
          <Heading title={name}>{name}</Heading>
          <p className="mute">
            {kindWord(object.type)}, {bytes(object.size)}, put by <PeerName identity={object.by} self={own} />, expires{' '}
            {expiresIn(object.expires - now)}
          </p>
        </div>
        <div className="actions">
          <Link to="/data" className="btn ghost">
            All data
          </Link>
          <GetButton object={wanted} small={false} />
        </div>
      </div>
      {hasOutcome(download) ? (
        <section className="card" aria-label="What came">
          <GetOutcome object={wanted} />
        </section>
      ) : null}
      <section className="card stack" aria-label="Health">
        <div className="between">
          <h2>Online now</h2>
          <CellLegend />
        </div>
        <p className="object-health">
          <Cells health={object} />
          <b className={`health-short ${tone}`}>{short}</b>
        </p>
        <p>{sentence}</p>
        <p className="mute sm">
          {riskExplained} Now: {riskWords(standing, object.lossEstimate)}.
        </p>
      </section>
      <section className="card stack" aria-label="Share">
        <h2>Share</h2>
        <Reference label="Link" text={link} copy="Copy link" />
        <Reference label="Reference" text={object.id} copy="Copy reference" />
      </section>
    </>
  );
}

const Reference = ({ label, text, copy }: { label: string; text: string; copy: string }) => (
  <div className="reference">
    <span className="h2">{label}</span>
    <code>{text}</code>
    <CopyButton label={copy} text={text} />
  </div>
);
