import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { CopyText } from './copy-text';

/** Name and id of a thing: the first cell of its row and the head of its card. */
export function NameCell({ name, id, to }: { name: ReactNode; id: string; to?: string }) {
  return (
    <div style={{ minWidth: 0 }}>
      <div style={{ fontWeight: 500, overflowWrap: 'anywhere', maxWidth: 340 }}>
        {to ? <Link to={to}>{name}</Link> : name}
      </div>
      <div className="quiet" style={{ maxWidth: 300 }}>
        <CopyText text={id} shown={short(id)} />
      </div>
    </div>
  );
}

/** Identifiers are long; the ends tell them apart. */
export function short(id: string): string {
  return id.length > 20 ? `${id.slice(0, id.search(/[-_]/) + 1 || 4)}…${id.slice(-8)}` : id;
}
