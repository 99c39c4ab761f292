import { useCallback, useMemo } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { Ring } from '../donate/ring.tsx';
import { Empty, PeerName, Skeleton } from '../pieces/pieces.tsx';
import { TableHead } from '../pieces/table-head.tsx';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { Heading, Link } from '../shell/router.tsx';
import { Notice } from '../shell/shell.tsx';
import { bytes, count, plural } from '../view/format.ts';
import { useDurability } from './durable.ts';
import { CellLegend, standingOfKept } from './health-cells.tsx';
import { headingOf, riskExplained } from './health.ts';
import type { Listed, ObjectInfo } from './objects.ts';
import { ObjectTable } from './object-table.tsx';
import { DropTarget, PutButton, PutCard } from './put-card.tsx';
import { useUploads } from './uploads.ts';
import { usePolled, type Polled } from './use-polled.ts';
import { useWall } from './use-wall.ts';
import { durabilityWords, forgedWords, remedyOf, repairWords, sumByOwner, type StoreKind } from './wording.ts';

const mineMax = 1_000;
const keptMax = 5_000;
const mineEveryMs = 1_500;
/** Thousands of results: their sums need not follow every one. */
const keptEveryMs = 8_000;
const ownersShown = 8;

const levelRank = { unreadable: 0, bare: 1, thin: 2, whole: 3 } as const;

export function DataPage() {
  const mine = useMine();
  const levels = mine.value === null ? null : mine.value.objects.map((object) => standingOfKept(object).level);
  return (
    <>
      <DropTarget />
      <div className="page-head">
        <div>
          <Heading title="Data">{headingOf(levels)}</Heading>
          <p className="mute">
            A file is cut into slices that other people’s browsers keep. Whoever has its link can read it, so put nothing secret.
          </p>
        </div>
        <PutButton />
      </div>
      <StoreNotice />
      <ForgerNotice />
      <div className="data-top">
        <SpaceCard />
        <PutCard />
      </div>
      <MyObjects mine={mine} />
      <KeptForOthers />
    </>
  );
}

/** What one put oneself, those in danger first, then the newest; results of jobs, which have no name, are summed elsewhere. They are asked for again as soon as a put has ended. */
function useMine(): Polled<Listed> {
  const { objects, lull } = useDeps();
  const put = useUploads().filter(({ step }) => step.kind === 'put').length;
  const ask = useCallback(async () => {
    await lull.ready;
    const listed = await objects.list('mine', mineMax, true);
    const rank = (object: ObjectInfo) => (standingOfKept(object).level === 'unreadable' ? 0 : 1);
    // Nearly all live equally long, so what expires last was put last.
    return { ...listed, objects: listed.objects.toSorted((a, b) => rank(a) - rank(b) || b.expires - a.expires || (a.id < b.id ? -1 : 1)) };
    // oxlint-disable-next-line react/exhaustive-deps -- a put that ended is a reason to ask again
  }, [objects, lull, put]);
  return usePolled(ask, mineEveryMs);
}

function useStoreKind(): StoreKind {
  const broken = useSnapshot((snapshot) => snapshot.storageProblem !== '' || snapshot.storageClosed !== '');
  const durable = useSnapshot((snapshot) => snapshot.kept?.durable ?? true);
  return durable ? 'own' : broken ? 'none' : 'second';
}

/** A full disk, or storage that the browser refuses: in a sentence, with what to do. */
function StoreNotice() {
  const kept = useSnapshot((snapshot) => snapshot.kept);
  const limitMiB = useSnapshot((snapshot) => snapshot.resources?.value.limits.storageMiB ?? 0);
  // The shell has said already that the store was closed.
  const closed = useSnapshot((snapshot) => snapshot.storageClosed !== '');
  if (kept === null || kept.problem === '' || closed) return null;
  const remedy = remedyOf(kept, limitMiB * 2 ** 20);
  return (
    <Notice tone="dusk">
      {kept.problem} {remedy === 'disk' ? 'Free some space on this machine: its browser gives Lull no more.' : null}
      {remedy === 'limit' ? (
        <>
          <Link to="/">Allow more on the Donate page</Link>, or wait until something expires.
        </>
      ) : null}
    </Notice>
  );
}

function ForgerNotice() {
  const forgers = useSnapshot((snapshot) => snapshot.kept?.forgers);
  const own = useSnapshot((snapshot) => snapshot.self?.identity);
  const now = useWall();
  const last = forgers?.at(-1);
  if (forgers === undefined || last === undefined) return null;
  const others = new Set(forgers.map(({ identity }) => identity)).size - 1;
  return (
    <Notice tone="coral">
      <b>
        <PeerName identity={last.identity} self={own} />
      </b>{' '}
      sent forged bytes ({forgedWords(last.what, now - last.at)}). They were thrown away, taken from others instead, and it is never asked
      first again.
      {others > 0 ? ` ${plural(others, 'other holder did', 'other holders did')} the same.` : ''}
    </Notice>
  );
}

function SpaceCard() {
  const kept = useSnapshot((snapshot) => snapshot.kept);
  const { durable } = useDeps();
  const durability = useDurability();
  const store = useStoreKind();
  if (kept === null) {
    return (
      <section className="card space-card" aria-label="Space">
        <Skeleton lines={6} label="The store is being read" />
      </section>
    );
  }
  const { usedBytes, allowedBytes } = kept;
  const share = allowedBytes === 0 ? 0 : usedBytes / allowedBytes;
  const repair = repairWords(kept.repair);
  return (
    <section className="card space-card" aria-label="Space">
      <Ring
        share={share}
        text={bytes(usedBytes)}
        below={store === 'own' ? `of ${bytes(allowedBytes)} allowed` : 'while this tab is open'}
        tone={share >= 0.95 ? 'dusk' : 'tide'}
      />
      <dl className="facts">
        <div>
          <dt>Space</dt>
          <dd>
            {durabilityWords(durability, store)}{' '}
            {store === 'own' && (durability === 'not-asked' || durability === 'refused') ? (
              <button type="button" className="link" onClick={() => void durable.ask(true)}>
                {durability === 'refused' ? 'Ask again' : 'Ask it not to'}
              </button>
            ) : null}
          </dd>
          {store === 'own' ? (
            <dd>
              {kept.objects === 0 ? '' : `Parts of ${plural(kept.objects, 'object')}. `}
              <Link to="/">Change the limit</Link>
            </dd>
          ) : null}
        </div>
        <div>
          <dt>Repair</dt>
          <dd className={repair.active ? 'active' : undefined}>{repair.text}</dd>
          <dd className="mute sm">{repair.detail}</dd>
        </div>
      </dl>
    </section>
  );
}

function MyObjects({ mine: { value, problem } }: { mine: Polled<Listed> }) {
  return (
    <section className="card stack" aria-label="My objects">
      <div className="between">
        <h2>My objects</h2>
        {value === null || value.objects.length === 0 ? null : <CellLegend />}
      </div>
      {problem === '' ? null : <p className="sm wrong">They could not be listed just now: {problem}</p>}
      {value === null ? (
        problem === '' ? (
          <Skeleton lines={3} label="Your objects are being read" />
        ) : null
      ) : value.objects.length === 0 ? (
        <Empty title="Drop a file on this page, or press “Put a file”.">
          <p className="mute sm">It appears here with who keeps it, and a link that you can send to others.</p>
        </Empty>
      ) : (
        <>
          <ObjectTable objects={value.objects} label="My objects" />
          <p className="mute sm">
            {value.more ? `The first ${count(mineMax)} are shown. ` : ''}
            {riskExplained}
          </p>
        </>
      )}
      <MyResults />
    </section>
  );
}

/** Of one's own jobs, as far as this browser ran them itself: they are put by who ran them. */
function MyResults() {
  const { objects, lull } = useDeps();
  const ask = useCallback(async () => {
    await lull.ready;
    return objects.list('mine', keptMax);
  }, [objects, lull]);
  const { value } = usePolled(ask, keptEveryMs);
  const sums = useMemo(() => sumByOwner(value?.objects.filter(({ name }) => name === '') ?? []), [value]);
  return sums.length === 0 ? null : <Results sums={sums} />;
}

function KeptForOthers() {
  const { objects, lull } = useDeps();
  const store = useStoreKind();
  const ask = useCallback(async () => {
    await lull.ready;
    return objects.list('kept', keptMax);
  }, [objects, lull]);
  const { value, problem } = usePolled(ask, keptEveryMs);
  const parts = useMemo(() => (value === null ? null : partsOf(value.objects)), [value]);
  return (
    <section className="card stack" aria-label="Kept for others">
      <div className="between">
        <h2>Kept for others</h2>
        {parts === null || parts.all === 0 ? null : (
          <span className="sm mute">
            {count(parts.all)}
            {value?.more === true ? ' or more' : ''} objects of {plural(parts.owners, 'person', 'people')}, {bytes(parts.heldHereBytes)} in
            this browser
          </span>
        )}
      </div>
      {problem === '' ? null : <p className="sm wrong">They could not be listed just now: {problem}</p>}
      {parts === null ? (
        problem === '' ? (
          <Skeleton lines={2} label="What is kept is being read" />
        ) : null
      ) : parts.all === 0 ? (
        <NothingKept store={store} />
      ) : (
        <>
          {parts.named.length === 0 ? null : <ObjectTable objects={parts.named} label="Files kept for others" from />}
          {parts.results.length === 0 ? null : <Results sums={parts.results} />}
        </>
      )}
    </section>
  );
}

function partsOf(kept: readonly ObjectInfo[]) {
  return {
    all: kept.length,
    owners: new Set(kept.map(({ by }) => by)).size,
    heldHereBytes: kept.reduce((sum, { heldHereBytes }) => sum + heldHereBytes, 0),
    named: kept
      .filter(({ name }) => name !== '')
      .toSorted(
        (a, b) =>
          levelRank[standingOfKept(a).level] - levelRank[standingOfKept(b).level] || b.expires - a.expires || (a.id < b.id ? -1 : 1),
      ),
    results: sumByOwner(kept.filter(({ name }) => name === '')),
  };
}

function NothingKept({ store }: { store: StoreKind }) {
  const donating = useSnapshot((snapshot) => snapshot.resources?.value.donating ?? false);
  if (store !== 'own') {
    return <Empty title={store === 'second' ? 'Another tab of this browser keeps it.' : 'This window keeps nothing for others.'} />;
  }
  return donating ? (
    <Empty title="Nothing yet.">
      <p className="mute sm">Slices of other people’s files and results come here as they need keeping.</p>
    </Empty>
  ) : (
    <Empty title="This tab keeps nothing for others while it does not donate.">
      <p className="mute sm">
        <Link to="/">Start donating</Link> and it keeps slices of other people’s files and results.
      </p>
    </Empty>
  );
}

/** Results of jobs have no name and there are thousands: a line a person. */
function Results({ sums }: { sums: ReturnType<typeof sumByOwner> }) {
  const self = useSnapshot((snapshot) => snapshot.self?.identity);
  const shown = sums.slice(0, ownersShown);
  const rest = sums.slice(ownersShown);
  const total = (of: typeof sums) => ({
    objects: of.reduce((sum, { objects }) => sum + objects, 0),
    heldHereBytes: of.reduce((sum, { heldHereBytes }) => sum + heldHereBytes, 0),
    short: of.reduce((sum, { short }) => sum + short, 0),
  });
  const lines = [
    ...shown.map((sum) => ({ ...sum, label: sum.by === self ? 'you' : nameOf(sum.by) })),
    ...(rest.length === 0 ? [] : [{ ...total(rest), by: 'rest', label: plural(rest.length, 'other person', 'other people') }]),
  ];
  return (
    <table className="sums" aria-label="Results of jobs, by who put them">
      <TableHead columns={['Results of jobs, put by', ['Objects', 'num'], ['Kept here', 'num wide'], 'Health']} />
      <tbody>
        {lines.map(({ by, label, objects, heldHereBytes, short }) => (
          <tr key={by}>
            <td className="nowrap">{label}</td>
            <td className="num">{count(objects)}</td>
            <td className="num wide">{bytes(heldHereBytes)}</td>
            <td>{short === 0 ? 'all online' : <span className="waits">{plural(short, 'lacks a copy', 'lack a copy')}</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
