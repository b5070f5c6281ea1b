import { Badge, Button, Popover } from 'antd';
import { BellOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Notice } from '../api/types';
import { localPath } from '../lib/local-path';
import { useChange, useFormat } from '../lib/use';
import { EmptyState } from './problem';

/** What happened, newest first, with how many were not read yet. */
export function Notices() {
  const { t } = useTranslation();
  const notices = useQuery({
    queryKey: ['notices'],
    queryFn: () => api.account.notices({ limit: 20 }),
    refetchInterval: 60_000,
    retry: false,
  });
  const items = notices.data?.items ?? [];
  const unread = items.filter((n) => !n.read_at).length;
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      title={t('notice.title')}
      content={
        <div style={{ width: 320, maxWidth: '80vw', maxHeight: '60vh', overflowY: 'auto' }}>
          {items.length === 0 ? <EmptyState title={t('notice.none')} /> : null}
          {items.map((n) => (
            <One key={n.id} notice={n} />
          ))}
        </div>
      }
    >
      <Button
        type="text"
        aria-label={t('notice.unread', { count: unread })}
        icon={
          <Badge dot={unread > 0}>
            <BellOutlined />
          </Badge>
        }
      />
    </Popover>
  );
}

function One({ notice }: { notice: Notice }) {
  const format = useFormat();
  const navigate = useNavigate();
  const read = useChange(() => api.account.readNotice(notice.id), [['notices']]);
  return (
    <button
      type="button"
      className="palette-item"
      style={{ flexDirection: 'column', gap: 2 }}
      onClick={() => {
        if (!notice.read_at) read.mutate(undefined);
        if (notice.link) void navigate(localPath(notice.link));
      }}
    >
      <span style={{ fontWeight: notice.read_at ? 400 : 600 }}>{notice.title}</span>
      <span className="small">{notice.body}</span>
      <span className="small num" style={{ color: 'var(--quiet)' }}>
        {format.time(notice.at)}
      </span>
    </button>
  );
}
