import { useId, useState } from 'react';
import { nameOf } from '../../kernel/lib/names.ts';
import { Link } from '../shell/router.tsx';
import { bytes } from '../view/format.ts';
import { CopyButton } from './copy-button.tsx';
import { useDownload } from './downloads.ts';
import { GetButton, GetOutcome, hasOutcome } from './get-object.tsx';
import { HealthCells, standingOfKept } from './health-cells.tsx';
import { expiresIn, riskWords } from './health.ts';
import type { ObjectInfo } from './objects.ts';
import { pathOfObject, shownName } from './reference.ts';
import { useWall } from './use-wall.ts';
import { kindWord } from './wording.ts';
import { Pager, pageThere } from '../pieces/pager.tsx';
import { TableHead } from '../pieces/table-head.tsx';

const pageRows = 10;

/** Objects, a page at a time. `from` shows who put them, and what of them is here. */
export function ObjectTable({ objects, from = false, label }: { objects: readonly ObjectInfo[]; from?: boolean; label: string }) {
  const now = useWall();
  const [wanted, setPage] = useState(0);
  // Objects expire while one looks: the last page may be gone.
  const page = pageThere(objects.length, pageRows, wanted);
  return (
    <>
      <table className="objects" aria-label={label}>
        <TableHead
          columns={[
            ['Name', 'object-name'],
            ...(from ? [['From', 'wide from-col'] as const] : []),
            [from ? 'Kept here' : 'Size', 'num wide'],
            ['Online now', 'health-col'],
            ['Risk', 'wide risk-col'],
            ['Expires', 'wide expires-col'],
            { unseen: 'Actions', className: 'object-actions' },
          ]}
        />
        <tbody>
          {objects.slice(page * pageRows, (page + 1) * pageRows).map((object) => (
            <Row key={object.id} object={object} from={from} now={now} />
          ))}
        </tbody>
      </table>
      <Pager rows={objects.length} pageRows={pageRows} page={page} turn={setPage} />
    </>
  );
}

function Row({ object, from, now }: { object: ObjectInfo; from: boolean; now: number }) {
  const id = useId();
  const download = useDownload(object.id);
  const name = shownName(object.name, object.id);
  const wanted = { id: object.id, name, type: object.type, size: object.size };
  return (
    <>
      <tr>
        <td className="object-name">
          <Link to={pathOfObject(object.id)} id={id} title={name}>
            {name}
          </Link>
          <span className="mute sm">
            {kindWord(object.type)}
            <span className="narrow-only">
              {' · '}
              {bytes(object.size)}
              {from ? ` · from ${nameOf(object.by)}` : ''} · expires {expiresIn(object.expires - now)}
            </span>
          </span>
        </td>
        {from ? <td className="mute nowrap wide">{nameOf(object.by)}</td> : null}
        <td className="num wide">{bytes(from ? object.heldHereBytes : object.size)}</td>
        <td className="health-cell">
          <HealthCells kept={object} />
        </td>
        <td className="nowrap wide">{riskWords(standingOfKept(object), object.lossEstimate)}</td>
        <td className="mute nowrap wide">{expiresIn(object.expires - now)}</td>
        <td className="object-actions">
          <GetButton object={wanted} describedBy={id} />
          {/* What is on its way takes the place of both, so that the columns stay where they are. */}
          {download?.kind === 'getting' ? null : (
            <CopyButton label="Copy link" text={location.origin + pathOfObject(object.id)} describedBy={id} />
          )}
        </td>
      </tr>
      {hasOutcome(download) ? (
        <tr className="outcome">
          <td colSpan={from ? 7 : 6}>
            <GetOutcome object={wanted} />
          </td>
        </tr>
      ) : null}
    </>
  );
}
