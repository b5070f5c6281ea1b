import { lazy, Suspense } from 'react';
import { App as Messages, ConfigProvider, Skeleton } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from 'react-router';
import { Problem } from './api/http';
import { Boundary } from './components/boundary';
import { ConsoleLayout } from './components/console-layout';
import { ErrorState } from './components/problem';
import type { Prefs } from './lib/prefs';
import { again } from './lib/again';
import { Allowed, MeProvider, useSession } from './lib/session';
import { SettingsProvider, useSettings } from './lib/settings';
import { themeConfig } from './lib/theme';
import { useStill } from './lib/media';
import { places } from './lib/nav';
import { Login } from './pages/login';
import { NoPermission, NotFound } from './pages/not-found';

const page = <K extends string>(load: () => Promise<Record<K, React.ComponentType>>, name: K) =>
  lazy(async () => ({ default: (await again(load))[name] }));

const Register = page(() => import('./pages/register'), 'Register');
const RequestReset = page(() => import('./pages/reset'), 'RequestReset');
const ConfirmReset = page(() => import('./pages/reset'), 'ConfirmReset');
const Enrol = page(() => import('./pages/enrol'), 'Enrol');
const AskByLink = page(() => import('./pages/ask'), 'AskByLink');
const Assistant = page(() => import('./pages/assistant'), 'Assistant');
const AdminChannels = page(() => import('./pages/admin-channels'), 'AdminChannels');
const BundlePage = page(() => import('./pages/bundle'), 'BundlePage');
const VPNUser = page(() => import('./pages/vpn-user'), 'VPNUser');
const VerifyEmail = page(() => import('./pages/verify-email'), 'VerifyEmail');
const Policies = page(() => import('./pages/policies'), 'Policies');
const PolicyPage = page(() => import('./pages/policies'), 'PolicyPage');
const Downloads = page(() => import('./pages/downloads'), 'Downloads');
const Cookies = page(() => import('./pages/cookies'), 'Cookies');
const Trust = page(() => import('./pages/trust'), 'Trust');
const Overview = page(() => import('./pages/overview'), 'Overview');
const RealName = page(() => import('./pages/real-name'), 'RealName');
const Buy = page(() => import('./pages/buy'), 'Buy');
const Orders = page(() => import('./pages/orders'), 'Orders');
const Tickets = page(() => import('./pages/tickets'), 'Tickets');
const TicketPage = page(() => import('./pages/ticket'), 'TicketPage');
const AdminTickets = page(() => import('./pages/admin-tickets'), 'AdminTickets');
const AdminTicket = page(() => import('./pages/admin-ticket'), 'AdminTicket');
const NoticeSettings = page(() => import('./pages/notice-settings'), 'NoticeSettings');
const Wallet = page(() => import('./pages/wallet'), 'Wallet');
const Invoices = page(() => import('./pages/invoices'), 'Invoices');
const InvoicePage = page(() => import('./pages/invoice'), 'InvoicePage');
const AdminInvoice = page(() => import('./pages/invoice'), 'AdminInvoice');
const AdminInvoices = page(() => import('./pages/admin-invoices'), 'AdminInvoices');
const Bills = page(() => import('./pages/bills'), 'Bills');
const OrderPage = page(() => import('./pages/order'), 'OrderPage');
const Gateways = page(() => import('./pages/gateways'), 'Gateways');
const GatewayPage = page(() => import('./pages/gateway'), 'GatewayPage');
const Servers = page(() => import('./pages/servers'), 'Servers');
const ServerCreate = page(() => import('./pages/server-create'), 'ServerCreate');
const ServerPage = page(() => import('./pages/server'), 'ServerPage');
const Clients = page(() => import('./pages/clients'), 'Clients');
const ClientPage = page(() => import('./pages/client'), 'ClientPage');
const Quotas = page(() => import('./pages/quotas'), 'Quotas');
const Certificates = page(() => import('./pages/certificates'), 'Certificates');
const CertificatePage = page(() => import('./pages/certificate'), 'CertificatePage');
const Sessions = page(() => import('./pages/sessions'), 'Sessions');
const Security = page(() => import('./pages/security'), 'Security');
const MyData = page(() => import('./pages/my-data'), 'MyData');
const DataMapPage = page(() => import('./pages/data-map'), 'DataMapPage');
const AdminDataMap = page(() => import('./pages/data-map'), 'AdminDataMap');
const AdminClauses = page(() => import('./pages/trust'), 'AdminClauses');
const AdminServices = page(() => import('./pages/admin-services'), 'AdminServices');
const AdminService = page(() => import('./pages/admin-services'), 'AdminService');
const AdminServiceTerms = page(() => import('./pages/admin-services'), 'AdminServiceTerms');
const AdminQuotas = page(() => import('./pages/admin-quotas'), 'AdminQuotas');
const AdminRealName = page(() => import('./pages/admin-real-name'), 'AdminRealName');
const AdminSuccessions = page(() => import('./pages/admin-successions'), 'AdminSuccessions');
const AdminUsers = page(() => import('./pages/admin-lists'), 'AdminUsers');
const AdminOrders = page(() => import('./pages/admin-lists'), 'AdminOrders');
const AdminPayments = page(() => import('./pages/admin-lists'), 'AdminPayments');
const AdminRefunds = page(() => import('./pages/admin-refunds'), 'AdminRefunds');
const AdminRefund = page(() => import('./pages/admin-refund'), 'AdminRefund');
const AdminTransfers = page(() => import('./pages/admin-transfers'), 'AdminTransfers');
const AdminReconciliation = page(() => import('./pages/admin-reconciliation'), 'AdminReconciliation');
const AdminSuspense = page(() => import('./pages/admin-suspense'), 'AdminSuspense');
const AdminBooks = page(() => import('./pages/admin-books'), 'AdminBooks');
const AdminNodes = page(() => import('./pages/admin-lists'), 'AdminNodes');
const AdminPolicies = page(() => import('./pages/admin-policies'), 'AdminPolicies');
const AdminAudit = page(() => import('./pages/admin-audit'), 'AdminAudit');
const AdminIncidents = page(() => import('./pages/admin-incidents'), 'AdminIncidents');
const AdminIncident = page(() => import('./pages/admin-incident'), 'AdminIncident');
const AdminMinors = page(() => import('./pages/admin-minors'), 'AdminMinors');
const ErasurePage = page(() => import('./pages/erasure'), 'ErasurePage');
const AdminErasures = page(() => import('./pages/admin-erasures'), 'AdminErasures');
const AdminRetention = page(() => import('./pages/admin-retention'), 'AdminRetention');
const AdminRights = page(() => import('./pages/admin-rights'), 'AdminRights');
const AdminPapers = page(() => import('./pages/admin-papers'), 'AdminPapers');
const AdminTraining = page(() => import('./pages/admin-training'), 'AdminTraining');
const AdminStaff = page(() => import('./pages/admin-staff'), 'AdminStaff');
const AdminLegalOrders = page(() => import('./pages/admin-legal-orders'), 'AdminLegalOrders');

export const operatorPages: Record<string, React.ComponentType> = {
  '/admin/users': AdminUsers,
  '/admin/orders': AdminOrders,
  '/admin/payments': AdminPayments,
  '/admin/refunds': AdminRefunds,
  '/admin/invoices': AdminInvoices,
  '/admin/transfers': AdminTransfers,
  '/admin/suspense': AdminSuspense,
  '/admin/reconciliation': AdminReconciliation,
  '/admin/books': AdminBooks,
  '/admin/tickets': AdminTickets,
  '/admin/gateway-nodes': AdminNodes,
  '/admin/policies': AdminPolicies,
  '/admin/audit-log': AdminAudit,
  '/admin/incidents': AdminIncidents,
  '/admin/retention': AdminRetention,
  '/admin/rights': AdminRights,
  '/admin/intake': AdminChannels,
  '/admin/agreements': AdminPapers,
  '/admin/training': AdminTraining,
  '/admin/staff': AdminStaff,
  '/admin/legal-orders': AdminLegalOrders,
  '/admin/minors': AdminMinors,
  '/admin/erasures': AdminErasures,
  '/admin/quotas': AdminQuotas,
  '/admin/services': AdminServices,
  '/admin/real-name': AdminRealName,
  '/admin/clauses': AdminClauses,
  '/admin/data-map': AdminDataMap,
  '/admin/successions': AdminSuccessions,
};

export const newClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) =>
          count < 2 && error instanceof Problem && (error.status === 0 || error.status >= 502),
      },
    },
  });

const client = newClient();
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;

export function App({ prefs }: { prefs: Prefs }) {
  return (
    <SettingsProvider initial={prefs}>
      <QueryClientProvider client={client}>
        <Styled>
          <Boundary>
            <BrowserRouter>
              <Pages />
            </BrowserRouter>
          </Boundary>
        </Styled>
      </QueryClientProvider>
    </SettingsProvider>
  );
}

export function Styled({ children }: { children: React.ReactNode }) {
  const { language, dark } = useSettings();
  const still = useStill();
  return (
    <ConfigProvider
      csp={nonce ? { nonce } : undefined}
      theme={themeConfig(dark, still)}
      locale={language === 'zh-CN' ? zhCN : enUS}
      button={{ autoInsertSpace: false }}
    >
      <Messages component={false}>{children}</Messages>
    </ConfigProvider>
  );
}

const waiting = (
  <div className="paper">
    <Skeleton active paragraph={{ rows: 8 }} />
  </div>
);

export function Pages() {
  return (
    <Suspense fallback={waiting}>
      <Routes>
        <Route path="/login" element={<Login />} />
        <Route path="/register" element={<Register />} />
        <Route path="/password-reset" element={<RequestReset />} />
        <Route path="/password-reset/confirm" element={<ConfirmReset />} />
        <Route path="/verify-email" element={<VerifyEmail />} />
        <Route path="/enrol" element={<Enrol />} />
        <Route path="/bundle" element={<BundlePage />} />
        <Route path="/ask" element={<AskByLink />} />
        <Route path="/vpn-user" element={<VPNUser />} />
        <Route path="/cookies" element={<Cookies />} />
        <Route path="/downloads" element={<Downloads />} />
        <Route path="/erasures/:id" element={<ErasurePage />} />
        <Route path="/policies" element={<Policies />} />
        <Route path="/policies/:document" element={<PolicyPage />} />
        <Route path="/policies/:document/versions/:version" element={<PolicyPage />} />
        <Route path="/trust" element={<Trust />} />
        <Route path="/data-map" element={<DataMapPage />} />
        <Route element={<SignedIn />}>
          <Route element={<ConsoleLayout />}>
            <Route index element={<Overview />} />
            <Route path="/real-name" element={<RealName />} />
            <Route path="/buy" element={<Buy />} />
            <Route path="/orders" element={<Orders />} />
            <Route path="/orders/:id" element={<OrderPage />} />
            <Route path="/notice-settings" element={<NoticeSettings />} />
            <Route path="/wallet" element={<Wallet />} />
            <Route path="/invoices" element={<Invoices />} />
            <Route path="/invoices/:id" element={<InvoicePage />} />
            <Route path="/bills" element={<Bills />} />
            <Route path="/vpn-gateways" element={<Gateways />} />
            <Route path="/vpn-gateways/:id" element={<GatewayPage />} />
            <Route path="/ssl-servers" element={<Servers />} />
            <Route path="/ssl-servers/new" element={<ServerCreate />} />
            <Route path="/ssl-servers/:id" element={<ServerPage />} />
            <Route path="/ssl-clients" element={<Clients />} />
            <Route path="/ssl-clients/:id" element={<ClientPage />} />
            <Route path="/certificates" element={<Certificates />} />
            <Route path="/certificates/:id" element={<CertificatePage />} />
            <Route path="/vpn-sessions" element={<Sessions />} />
            <Route path="/quotas" element={<Quotas />} />
            <Route path="/security" element={<Security />} />
            <Route path="/my-data" element={<MyData />} />
            <Route path="/tickets" element={<Tickets />} />
            <Route path="/tickets/:id" element={<TicketPage />} />
            <Route path="/assistant" element={<Assistant />} />
            {Object.entries(operatorPages).map(([path, Content]) => (
              <Route key={path} path={path} element={<Operator path={path} content={<Content />} />} />
            ))}
            <Route
              path="/admin/services/:id"
              element={<Operator path="/admin/services" content={<AdminService />} />}
            />
            <Route
              path="/admin/service-terms"
              element={<Operator path="/admin/services" content={<AdminServiceTerms />} />}
            />
            <Route
              path="/admin/incidents/:id"
              element={<Operator path="/admin/incidents" content={<AdminIncident />} />}
            />
            <Route
              path="/admin/refunds/:number"
              element={<Operator path="/admin/refunds" content={<AdminRefund />} />}
            />
            <Route
              path="/admin/tickets/:id"
              element={<Operator path="/admin/tickets" content={<AdminTicket />} />}
            />
            <Route
              path="/admin/invoices/:id"
              element={<Operator path="/admin/invoices" content={<AdminInvoice />} />}
            />
            <Route path="*" element={<NotFound />} />
          </Route>
        </Route>
      </Routes>
    </Suspense>
  );
}

function Operator({ path, content }: { path: string; content: React.ReactNode }) {
  const permission = places.find((p) => p.path === path)?.permission;
  return (
    <Allowed permission={permission} otherwise={<NoPermission />}>
      {content}
    </Allowed>
  );
}

function SignedIn() {
  const session = useSession();
  const { pathname, search } = useLocation();
  if (session.isPending) return waiting;
  if (session.isError) return <ErrorState error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) {
    const next = pathname === '/' ? '' : `?next=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/login${next}`} replace />;
  }
  if (session.data.enrol_totp && pathname !== '/security') return <Navigate to="/security" replace />;
  return (
    <MeProvider value={session.data}>
      <Outlet />
    </MeProvider>
  );
}
