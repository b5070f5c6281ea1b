import type { ReactNode } from 'react';
import { Alert, Button } from 'antd';
import { DisconnectOutlined, InboxOutlined, LockOutlined, WarningOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { Problem } from '../api/http';

/** What happened, in the words of the API or, when it could not be asked, in ours. */
export function useSentence() {
  const { t, i18n } = useTranslation();
  return (error: unknown): string => {
    if (!(error instanceof Problem)) return t('error.unexpected');
    if (error.sentence && error.sentence !== error.code) return error.sentence;
    const own = `error.${error.code}`;
    if (i18n.exists(own)) return t(own);
    if (error.status >= 500) return t('error.server');
    if (error.status === 429) return t('error.limited');
    if (error.status === 403) return t('error.forbidden');
    if (error.status === 404) return t('error.not_found');
    return t('error.refused');
  };
}

/** The code to quote in a ticket, with the number of the request. */
export function ProblemCode({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Problem)) return null;
  return (
    <span className="small quiet">
      {t('error.quote')} <code className="mono">{error.code}</code>
      {error.request ? (
        <>
          {' · '}
          <code className="mono">{error.request}</code>
        </>
      ) : null}
    </span>
  );
}

/** An error of a form or an act, above what the person was doing. */
export function ProblemAlert({ error, action }: { error: unknown; action?: ReactNode }) {
  const { t } = useTranslation();
  const sentence = useSentence();
  if (!error) return null;
  const fields = error instanceof Problem ? error.fields : [];
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      title={sentence(error)}
      description={
        <div>
          {fields.length > 0 ? (
            <ul>
              {fields.map((f) => (
                <li key={f.location + f.message}>
                  <code className="mono">{f.location.replace(/^body\./, '')}</code> {f.message}
                </li>
              ))}
            </ul>
          ) : null}
          {error instanceof Problem && error.status === 412 ? <p>{t('error.conflict')}</p> : null}
          <ProblemCode error={error} />
        </div>
      }
      action={action}
    />
  );
}

interface StateBoxProps {
  glyph: ReactNode;
  title: string;
  text?: ReactNode;
  action?: ReactNode;
}

export function StateBox({ glyph, title, text, action }: StateBoxProps) {
  return (
    <div className="statebox">
      <div className="glyph" style={{ fontSize: 40, lineHeight: 1 }}>
        {glyph}
      </div>
      <h3>{title}</h3>
      <p>{text}</p>
      {action}
    </div>
  );
}

export function EmptyState({ title, text, action }: Omit<StateBoxProps, 'glyph'>) {
  return <StateBox glyph={<InboxOutlined />} title={title} text={text} action={action} />;
}

/** A whole page or table that could not be read. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const status = error instanceof Problem ? error.status : -1;
  const glyph =
    status === 403 ? <LockOutlined /> : status === 0 ? <DisconnectOutlined /> : <WarningOutlined />;
  const title = status === 403 ? t('error.no_permission') : t('error.could_not_load');
  return (
    <StateBox
      glyph={glyph}
      title={title}
      text={
        <>
          {sentence(error)}
          <br />
          <ProblemCode error={error} />
        </>
      }
      action={retry && status !== 403 ? <Button onClick={retry}>{t('common.retry')}</Button> : null}
    />
  );
}
