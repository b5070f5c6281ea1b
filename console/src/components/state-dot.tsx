import { useTranslation } from 'react-i18next';
import { toneOf } from '../lib/states';

/** A state as a shape and a word; the colour only repeats them. */
export function StateDot({ kind, state }: { kind: string; state: string }) {
  const { t } = useTranslation();
  return (
    <span className={`dot ${toneOf(kind, state)}`}>
      <i aria-hidden="true" />
      {t(`state.${kind}.${state}`, { defaultValue: state })}
    </span>
  );
}
