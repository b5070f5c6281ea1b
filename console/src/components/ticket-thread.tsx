// What was said in a ticket and its files, for its customer and for staff.

import { Alert, Button, Tag, Upload } from 'antd';
import { PaperClipOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { NewTicketFile, TicketFile, TicketMessage, TicketThread } from '../api/types';
import { saveFile } from '../lib/csv';
import { readFile } from '../lib/file';
import { useChange, useFormat } from '../lib/use';
import { PolicyHTML } from './html';
import { ProblemAlert } from './problem';

type Said = { at: string; message?: TicketMessage; file?: TicketFile };

interface Props {
  thread: TicketThread;
  /** Whether who reads is of the staff: then the customer is the other side. */
  staff: boolean;
  fetch: (file: string) => Promise<Blob>;
  /** Lets a file out of quarantine; without it that is not offered. */
  release?: (file: TicketFile) => void;
}

/** Messages and files in the order in which they came. */
export function Thread({ thread, staff, fetch, release }: Props) {
  const said: Said[] = [
    ...thread.messages.map((m) => ({ at: m.at, message: m })),
    ...thread.files.map((f) => ({ at: f.at, file: f })),
  ].toSorted((a, b) => a.at.localeCompare(b.at));
  return (
    <ol className="thread">
      {said.map((s) => (
        <li
          key={s.message?.id ?? s.file?.id}
          className={(s.message ?? s.file)?.by_staff === staff ? 'said own' : 'said'}
        >
          <Head byStaff={(s.message ?? s.file)?.by_staff ?? false} staff={staff} at={s.at} />
          {s.message ? <Words message={s.message} /> : null}
          {s.file ? <FileLine file={s.file} staff={staff} fetch={fetch} release={release} /> : null}
        </li>
      ))}
    </ol>
  );
}

function Head({ byStaff, staff, at }: { byStaff: boolean; staff: boolean; at: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const who = byStaff === staff ? 'ticket.you' : byStaff ? 'ticket.staff' : 'ticket.customer';
  return (
    <div className="spread small quiet">
      <b>{byStaff && staff ? t('ticket.staff') : t(who)}</b>
      <span className="num">{format.time(at)}</span>
    </div>
  );
}

function Words({ message: m }: { message: TicketMessage }) {
  return m.html ? <PolicyHTML html={m.html} /> : <p style={{ whiteSpace: 'pre-wrap' }}>{m.words}</p>;
}

function FileLine({
  file: f,
  staff,
  fetch,
  release,
}: { file: TicketFile } & Pick<Props, 'staff' | 'fetch' | 'release'>) {
  const { t } = useTranslation();
  const format = useFormat();
  const get = useMutation({
    mutationFn: () => fetch(f.id),
    onSuccess: (blob) => saveFile(f.file_name, blob, f.media),
  });
  const shut = staff && f.quarantined && !f.by_staff;
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="row">
        <PaperClipOutlined aria-hidden="true" />
        <Button
          type="link"

          disabled={shut}
          loading={get.isPending}
          onClick={() => get.mutate()}
          aria-label={t('ticket.save_file', { name: f.file_name })}
        >
          {f.file_name}
        </Button>
        <span className="small quiet num">{format.bytes(f.size)}</span>
        {f.quarantined ? <Tag color="warning">{t('ticket.quarantined')}</Tag> : null}
        {shut && release ? (
          <Button size="small" onClick={() => release(f)}>
            {t('ticket.release')}
          </Button>
        ) : null}
      </div>
      <ProblemAlert error={get.error} />
    </div>
  );
}

/** Adds a file; what is too large is said before it is sent. */
export function AttachFile({
  attach,
  stale,
}: {
  attach: (body: NewTicketFile) => Promise<TicketFile>;
  stale: string[];
}) {
  const { t } = useTranslation();
  const send = useChange(
    async (file: File) => {
      const { content } = await readFile(file);
      return attach({ file_name: file.name, content });
    },
    [stale],
  );
  const large = send.variables && send.variables.size > largest;
  return (
    <>
      <Upload
        accept="image/*,text/*,.log,.conf,.txt,.pdf,.zip"
        showUploadList={false}
        beforeUpload={(file) => {
          send.mutate(file);
          return false;
        }}
      >
        <Button icon={<PaperClipOutlined />} loading={send.isPending}>
          {t('ticket.attach')}
        </Button>
      </Upload>
      {large ? <Alert type="warning" title={t('ticket.file_large')} /> : <ProblemAlert error={send.error} />}
    </>
  );
}

const largest = 640 * 1024;
