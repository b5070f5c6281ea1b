// Many SSL clients at once from a table: choose or drop a file, see what each row would come to, make
// them, keep the result. The API reads the table; the page only shows and sends it in parts.

import { useState } from 'react';
import { Alert, Button, Form, Modal, Progress, Select, Table, Upload } from 'antd';
import { InboxOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { newKey } from '../api/http';
import type { BatchRow } from '../api/types';
import { useServers } from '../lib/catalog';
import { decodeTable, saveFile, toCSV } from '../lib/csv';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

/** How many rows go in one request, so that progress shows and no request lasts long. */
const part = 20;

/** Splits a table into tables of at most size rows, each with the header. Quoted lines stay whole. */
export function splitTable(text: string, size = part): { text: string; first: number }[] {
  const lines: { text: string; at: number }[] = [];
  let at = 1;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const open = lines.at(-1);
    if (open && (open.text.match(/"/g) ?? []).length % 2 === 1) open.text += `\n${line}`;
    else lines.push({ text: line, at });
    at++;
  }
  const [header, ...rows] = lines.filter((l) => l.text.trim() !== '');
  const parts: { text: string; first: number }[] = [];
  if (!header) return parts;
  for (let i = 0; i < rows.length; i += size) {
    const some = rows.slice(i, i + size);
    // Empty lines keep the numbers of rows within a part as they are in the file.
    let next = (some[0] as { at: number }).at;
    const body = some.map((l) => {
      const gap = '\n'.repeat(l.at - next);
      next = l.at + l.text.split('\n').length;
      return gap + l.text;
    });
    parts.push({ text: [header.text, ...body].join('\n'), first: (some[0] as { at: number }).at });
  }
  return parts;
}

interface Chosen {
  name: string;
  text: string;
}

export function ClientBatch({ server, close }: { server?: string; close: () => void }) {
  const { t } = useTranslation();
  const servers = useServers();
  const [wanted, setWanted] = useState(server);
  const target = wanted ?? servers.data?.items[0]?.id ?? '';
  const [file, setFile] = useState<Chosen>();
  const [rows, setRows] = useState<BatchRow[]>();
  const [done, setDone] = useState(0);
  const [key, setKey] = useState(newKey);
  const check = useChange(async (f: Chosen) => {
    setRows(undefined);
    setDone(0);
    setKey(newKey());
    setFile(f);
    setRows((await api.vpn.checkClients(target, f.text)).items);
  });
  const make = useChange(async () => {
    const parts = splitTable(file?.text ?? '');
    const results: BatchRow[] = [];
    for (const [i, p] of parts.entries()) {
      // One after another: each is counted against the quota before the next.
      // oxlint-disable-next-line no-await-in-loop
      const answer = await api.vpn.createClients(target, p.text, `${key}${i}`);
      results.push(...answer.items.map((r) => ({ ...r, row: r.row + p.first - 2 })));
      setDone((100 * (i + 1)) / parts.length);
    }
    setRows(results);
  }, [['clients'], ['server'], ['quotas']]);
  const good = rows?.filter((r) => !r.code).length ?? 0;
  const made = make.isSuccess;
  return (
    <Modal
      open
      width={760}
      title={t('batch.title')}
      onCancel={close}
      mask={{ closable: false }}
      footer={[
        <Button key="close" onClick={close}>
          {made ? t('batch.close') : t('common.cancel')}
        </Button>,
        made ? (
          <Button key="save" type="primary" onClick={() => save(rows ?? [])}>
            {t('batch.download')}
          </Button>
        ) : (
          <Button
            key="make"
            type="primary"
            loading={make.isPending}
            disabled={good === 0 || check.isPending}
            onClick={() => make.mutate(undefined)}
          >
            {t('batch.make', { count: good })}
          </Button>
        ),
      ]}
    >
      <div className="stack">
        <Form layout="vertical" requiredMark={false}>
          <Form.Item label={t('client.server')} htmlFor="batch-server" style={{ marginBottom: 8 }}>
            <Select
              id="batch-server"
              value={target || undefined}
              disabled={make.isPending || made}
              onChange={(id: string) => {
                setWanted(id);
                setRows(undefined);
                setFile(undefined);
              }}
              options={servers.data?.items.map((s) => ({ value: s.id, label: s.name }))}
            />
          </Form.Item>
        </Form>
        <Upload.Dragger
          accept=".csv,text/csv"
          maxCount={1}
          showUploadList={false}
          disabled={!target || make.isPending || made}
          beforeUpload={(f) => {
            void f.arrayBuffer().then((bytes) => check.mutate({ name: f.name, text: decodeTable(bytes) }));
            return false;
          }}
        >
          <p>
            <InboxOutlined aria-hidden="true" /> {file ? file.name : t('batch.drop')}
          </p>
          <p className="small quiet">{t('batch.hint')}</p>
        </Upload.Dragger>
        <a href={api.vpn.batchTemplate} download>
          {t('batch.template')}
        </a>
        <ProblemAlert error={check.error ?? make.error} />
        {make.isPending || made ? <Progress percent={Math.round(done)} /> : null}
        {rows ? (
          <>
            <Alert
              type={good === rows.length ? 'success' : 'warning'}
              showIcon
              title={t(made ? 'batch.made' : 'batch.checked', { good, all: rows.length })}
            />
            <Rows rows={rows} />
          </>
        ) : null}
      </div>
    </Modal>
  );
}

function Rows({ rows }: { rows: BatchRow[] }) {
  const { t } = useTranslation();
  return (
    <Table<BatchRow>
      size="small"
      rowKey="row"
      dataSource={rows}
      scroll={{ x: 480, y: 260 }}
      pagination={false}
      columns={[
        { title: t('batch.row'), dataIndex: 'row', width: 64 },
        { title: t('common.name'), dataIndex: 'name', ellipsis: true },
        { title: t('batch.column'), dataIndex: 'column', width: 130 },
        {
          title: t('batch.result'),
          render: (_, r) => r.message ?? (r.id ? t('batch.row_made') : t('batch.row_ok')),
        },
      ]}
    />
  );
}

function save(rows: BatchRow[]): void {
  const text = toCSV(
    ['row', 'name', 'id', 'column', 'code', 'message'],
    rows.map((r) => [r.row, r.name, r.id, r.column, r.code, r.message]),
  );
  saveFile('ssl-clients-result.csv', text, 'text/csv;charset=utf-8');
}
