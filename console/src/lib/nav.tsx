// What there is to go to, for whom. The menu, the search palette and the router read this one list.

import type { ReactNode } from 'react';
import {
  AccountBookOutlined,
  DiffOutlined,
  ApartmentOutlined,
  AlertOutlined,
  AuditOutlined,
  BankOutlined,
  BarChartOutlined,
  CalendarOutlined,
  BellOutlined,
  CheckSquareOutlined,
  CloudServerOutlined,
  ClusterOutlined,
  CreditCardOutlined,
  CustomerServiceOutlined,
  DashboardOutlined,
  DatabaseOutlined,
  FileDoneOutlined,
  FileProtectOutlined,
  FileTextOutlined,
  GlobalOutlined,
  IdcardOutlined,
  LaptopOutlined,
  LineChartOutlined,
  InboxOutlined,
  MessageOutlined,
  ProfileOutlined,
  ReadOutlined,
  RollbackOutlined,
  SafetyCertificateOutlined,
  SafetyOutlined,
  DeleteOutlined,
  HourglassOutlined,
  SecurityScanOutlined,
  ShoppingCartOutlined,
  SolutionOutlined,
  SwapOutlined,
  TeamOutlined,
  TransactionOutlined,
  WalletOutlined,
} from '@ant-design/icons';
import type { Me } from '../api/types';
import { can } from './session';

export interface Place {
  path: string;
  name: string;
  icon: ReactNode;
  group: 'top' | 'vpn' | 'money' | 'self' | 'operator';
  permission?: string;
}

export const places: Place[] = [
  { path: '/', name: 'overview', icon: <DashboardOutlined />, group: 'top' },
  { path: '/vpn-gateways', name: 'gateways', icon: <GlobalOutlined />, group: 'vpn' },
  { path: '/ssl-servers', name: 'servers', icon: <CloudServerOutlined />, group: 'vpn' },
  { path: '/ssl-clients', name: 'clients', icon: <LaptopOutlined />, group: 'vpn' },
  { path: '/certificates', name: 'certificates', icon: <SafetyCertificateOutlined />, group: 'vpn' },
  { path: '/vpn-sessions', name: 'sessions', icon: <LineChartOutlined />, group: 'vpn' },
  { path: '/quotas', name: 'quotas', icon: <BarChartOutlined />, group: 'vpn' },
  { path: '/buy', name: 'buy', icon: <ShoppingCartOutlined />, group: 'money' },
  { path: '/orders', name: 'orders', icon: <ProfileOutlined />, group: 'money' },
  { path: '/wallet', name: 'wallet', icon: <WalletOutlined />, group: 'money' },
  { path: '/invoices', name: 'invoices', icon: <FileTextOutlined />, group: 'money' },
  { path: '/bills', name: 'bills', icon: <CalendarOutlined />, group: 'money' },
  { path: '/real-name', name: 'realname', icon: <IdcardOutlined />, group: 'self' },
  { path: '/security', name: 'security', icon: <SafetyOutlined />, group: 'self' },
  { path: '/notice-settings', name: 'notice_settings', icon: <BellOutlined />, group: 'self' },
  { path: '/my-data', name: 'mydata', icon: <FileProtectOutlined />, group: 'self' },
  { path: '/tickets', name: 'tickets', icon: <CustomerServiceOutlined />, group: 'self' },
  { path: '/assistant', name: 'assistant', icon: <MessageOutlined />, group: 'self' },
  {
    path: '/admin/tickets',
    name: 'admin_tickets',
    icon: <CustomerServiceOutlined />,
    group: 'operator',
    permission: 'ticket.handle',
  },
  {
    path: '/admin/intake',
    name: 'admin_intake',
    icon: <InboxOutlined />,
    group: 'operator',
    permission: 'privacy.handle',
  },
  {
    path: '/admin/users',
    name: 'admin_users',
    icon: <TeamOutlined />,
    group: 'operator',
    permission: 'account.read',
  },
  {
    path: '/admin/orders',
    name: 'admin_orders',
    icon: <ProfileOutlined />,
    group: 'operator',
    permission: 'order.read',
  },
  {
    path: '/admin/services',
    name: 'admin_services',
    icon: <HourglassOutlined />,
    group: 'operator',
    permission: 'order.read',
  },
  {
    path: '/admin/payments',
    name: 'admin_payments',
    icon: <CreditCardOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/refunds',
    name: 'admin_refunds',
    icon: <RollbackOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/invoices',
    name: 'admin_invoices',
    icon: <FileTextOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/transfers',
    name: 'admin_transfers',
    icon: <TransactionOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/suspense',
    name: 'admin_suspense',
    icon: <InboxOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/reconciliation',
    name: 'admin_reconciliation',
    icon: <DiffOutlined />,
    group: 'operator',
    permission: 'payment.read',
  },
  {
    path: '/admin/books',
    name: 'admin_books',
    icon: <AccountBookOutlined />,
    group: 'operator',
    permission: 'ledger.read',
  },
  {
    path: '/admin/gateway-nodes',
    name: 'admin_nodes',
    icon: <ClusterOutlined />,
    group: 'operator',
    permission: 'fleet.read',
  },
  {
    path: '/admin/quotas',
    name: 'admin_quotas',
    icon: <BarChartOutlined />,
    group: 'operator',
    permission: 'fleet.read',
  },
  {
    path: '/admin/real-name',
    name: 'admin_real_name',
    icon: <IdcardOutlined />,
    group: 'operator',
    permission: 'realname.review',
  },
  {
    path: '/admin/policies',
    name: 'admin_policies',
    icon: <AuditOutlined />,
    group: 'operator',
    permission: 'consent.read',
  },
  {
    path: '/admin/clauses',
    name: 'admin_clauses',
    icon: <CheckSquareOutlined />,
    group: 'operator',
    permission: 'audit.read',
  },
  {
    path: '/admin/data-map',
    name: 'admin_data_map',
    icon: <DatabaseOutlined />,
    group: 'operator',
    permission: 'audit.read',
  },
  {
    path: '/admin/audit-log',
    name: 'admin_audit',
    icon: <SecurityScanOutlined />,
    group: 'operator',
    permission: 'audit.read',
  },
  {
    path: '/admin/incidents',
    name: 'admin_incidents',
    icon: <AlertOutlined />,
    group: 'operator',
    permission: 'incident.read',
  },
  {
    path: '/admin/minors',
    name: 'admin_minors',
    icon: <TeamOutlined />,
    group: 'operator',
    permission: 'minor.handle',
  },
  {
    path: '/admin/retention',
    name: 'admin_retention',
    icon: <HourglassOutlined />,
    group: 'operator',
    permission: 'retention.read',
  },
  {
    path: '/admin/rights',
    name: 'admin_rights',
    icon: <SolutionOutlined />,
    group: 'operator',
    permission: 'privacy.handle',
  },
  {
    path: '/admin/agreements',
    name: 'admin_papers',
    icon: <FileDoneOutlined />,
    group: 'operator',
    permission: 'agreement.read',
  },
  {
    path: '/admin/staff',
    name: 'admin_staff',
    icon: <IdcardOutlined />,
    group: 'operator',
    permission: 'staff.read',
  },
  {
    path: '/admin/training',
    name: 'admin_training',
    icon: <ReadOutlined />,
    group: 'operator',
    permission: 'staff.read',
  },
  {
    path: '/admin/legal-orders',
    name: 'admin_legal_orders',
    icon: <BankOutlined />,
    group: 'operator',
    permission: 'legal_order.read',
  },
  {
    path: '/admin/erasures',
    name: 'admin_erasures',
    icon: <DeleteOutlined />,
    group: 'operator',
    permission: 'privacy.handle',
  },
  {
    path: '/admin/successions',
    name: 'admin_successions',
    icon: <SwapOutlined />,
    group: 'operator',
    permission: 'succession.read',
  },
];

export const groupIcon = <ApartmentOutlined />;

/** The places that a person may go to. */
export function placesFor(me: Me): Place[] {
  return places.filter((p) => can(me, p.permission));
}

/** The place whose page, or a page under it, is at path. */
export function placeAt(path: string): Place | undefined {
  return places
    .filter((p) => path === p.path || (p.path !== '/' && path.startsWith(`${p.path}/`)))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}
