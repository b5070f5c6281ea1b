package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/proof"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/residency"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/control/succession"
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/provider/ownvpn"
	"github.com/skybridge-cloud/skybridge/internal/web/download"
)

// modules are the business, in the order of its dependencies.
type modules struct {
	downloads   *download.Shelf
	queue       *job.Queue
	idempotency *idempotency.Store
	egress      *egress.Egress
	audit       *audit.Service
	consent     *consent.Service
	agreement   *agreement.Service
	residency   *residency.Service
	age         *age.Service
	account     *account.Service
	contact     *contact.Service
	notify      *notify.Service
	sender      notify.Sender
	realname    *realname.Service
	catalog     *catalog.Service
	ledger      *ledger.Service
	fleet       *fleet.Service
	vpn         *vpn.Service
	service     *service.Service
	order       *order.Service
	payment     *payment.Service
	ticket      *ticket.Service
	invoice     *invoice.Service
	incident    *incident.Service
	privacy     *privacy.Service
	legalorder  *legalorder.Service
	succession  *succession.Service
	erasure     *erasure.Service
	proof       *proof.Service
	evidence    *evidence.Service
	logins      metric.Counts // rounds of VPN logins
}

// hashing is what the hashes of passwords cost.
type hashing struct {
	hasher  *password.Hasher // of VPN users
	account uint32           // KiB of an account's hash; 0 = what package account says
}

// newModules builds the business on its stores. It starts nothing.
func newModules(cfg config.Config, s *stores, log *slog.Logger) (*modules, error) {
	return assemble(cfg, s, hashing{hasher: password.NewHasher(4)}, log)
}

func assemble(cfg config.Config, s *stores, cost hashing, log *slog.Logger) (*modules, error) {
	m, now := &modules{}, clock.System{}
	m.queue = job.New(s.main, now, log)
	m.idempotency = idempotency.New(s.main, now, s.vault, m.queue)
	m.audit = audit.New(audit.Deps{
		DB: s.main, Vault: s.vault, Clock: now, Queue: m.queue, Log: log,
		Origin: origin(cfg), CheckpointFile: cfg.Path("checkpoint"), Serves: servingJobs,
	})
	registry, err := recipients(cfg)
	if err != nil {
		return nil, err
	}
	m.consent, err = consent.New(consent.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault,
		Age: lateAge{m}, Facts: facts(cfg, registry), Channels: lateChannels{m},
	})
	if err != nil {
		return nil, err
	}
	m.age = age.New(age.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Statements: m.consent, Eraser: lateEraser{m}, Profile: cfg.Profile,
	})
	s.vault.Bind(m.age.TwoPersons(m.audit), gates{m})
	m.agreement = agreement.New(agreement.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Consent: m.consent, Registry: registry,
	})
	if m.residency, err = residency.New(residency.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Consent: m.consent, Profile: cfg.Profile,
		Attestor: attestor(cfg), Stores: places(cfg), Mechanisms: mechanisms(cfg),
	}); err != nil {
		return nil, err
	}
	if ids := residency.Unnamed(cfg.Profile, registry.Abroad()); len(ids) > 0 {
		return nil, fmt.Errorf("%w: no purpose names what goes abroad to %s", ErrResidency, strings.Join(ids, ", "))
	}
	if m.egress, err = door(cfg, egress.Deps{Registry: registry, Ledger: m.audit, Gate: m.consent, Papers: m.agreement, Transfers: m.residency, Clock: now}); err != nil {
		return nil, err
	}
	if err := m.people(cfg, s, cost, log); err != nil {
		return nil, err
	}
	m.catalog = catalog.New(catalog.Deps{DB: s.main, Clock: now})
	m.ledger = ledger.New(ledger.Deps{DB: s.main, Clock: now, Queue: m.queue, Log: log})
	m.vpns(cfg, s, cost.hasher, log)
	if err := m.money(cfg, s, log); err != nil {
		return nil, err
	}
	m.ticket = ticket.New(ticket.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault, Things: bought{m, s.main}, Contacts: m.contact, Desk: lateDesk{m},
	})
	m.orders(cfg, s, log)
	m.incident = incident.New(incident.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Notify: m.notify, People: m.account, Users: m.vpn, Session: m.fleet,
		Minors: m.age, Profile: cfg.Profile, Sender: incidentOperator(cfg),
	})
	desk := privacy.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault, Profile: cfg.Profile,
		Letterhead: letterhead(cfg), Logins: m.account, Tunnels: m.vpn, Users: m.vpn, Persons: people{m}, Carrier: carrier{m}, Owners: m.account,
		Tellers:    map[string]privacy.Teller{recipientIDV: identityTeller{m}},
		Identities: m.realname, People: m.account, Held: Held(), Tables: Holdings(),
		Keepers: m.keepers(),
	}
	if err := m.intake(cfg, &desk); err != nil {
		return nil, err
	}
	m.privacy = privacy.New(desk)
	m.erasure = m.erasures(cfg, s, erasure.Deps{DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault})
	m.audit.Ask(m.privacy, m.erasure, m.incident, m.legalorder, m.order, m.service, m.consent)
	m.proof = m.proofs(s, log)
	m.scheduleBackups(cfg, s)
	return m, m.gather(cfg, s, registry, log)
}

// orders builds what lets data out to an authority or a successor.
func (m *modules) orders(cfg config.Config, s *stores, log *slog.Logger) {
	now, who := clock.System{}, people{m}
	copier := privacy.Copier{DB: s.main, Vault: s.vault, Held: Held(), Tables: Holdings(), Clock: now}
	m.legalorder = legalorder.New(legalorder.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault, People: who, Copier: copier,
		Home: map[string]string{consent.Mainland: "CN", consent.HongKong: "HK"}[cfg.Profile],
	})
	m.succession = succession.New(succession.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Consent: m.consent, Account: m.account, Notify: m.notify,
		Copier: copier, People: who,
	})
}

// letterhead is what the desk's letters print of the operator: what the policy
// prints.
func letterhead(cfg config.Config) privacy.Letterhead {
	o := operator(cfg)
	return privacy.Letterhead{
		Brand: o.Brand, LegalName: o.LegalName, Complaint: o.Complaint, Authority: o.Authority, DPO: o.DPO, DPOContact: o.DPOContact,
	}
}

// incidentOperator is what notices and reports of incidents say of the operator.
func incidentOperator(cfg config.Config) incident.Operator {
	o := operator(cfg)
	return incident.Operator{
		Brand: o.Brand, LegalName: o.LegalName, Contact: o.Complaint, DPO: o.DPO, DPOContact: o.DPOContact, Authority: o.Authority,
	}
}

// origin names the audit log: the console's host.
func origin(cfg config.Config) string {
	u, err := url.Parse(cfg.Console.URL)
	if err != nil {
		return "skybridge/log"
	}
	return u.Hostname() + "/log"
}

func (m *modules) people(cfg config.Config, s *stores, cost hashing, log *slog.Logger) error {
	now := clock.System{}
	var err error
	m.account, err = account.New(account.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Consent: m.consent, Age: m.age,
		Vault: s.vault, Hasher: cost.hasher, Memory: cost.account, Issuer: brand(cfg), Demo: cfg.Demo.Enabled, Corrections: lateDesk{m},
	})
	if err != nil {
		return err
	}
	carrier, err := smsCarrier(cfg, m.egress)
	if err != nil {
		return err
	}
	numbers := contact.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Consent: m.consent, Account: m.account, Vault: s.vault,
	}
	messages := notify.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Account: m.account, URL: cfg.Console.URL, Brand: brand(cfg), SMSADay: cfg.SMS.ADay,
	}
	if carrier != nil {
		numbers.Reach, messages.Carrier = carrier.Reaches, carrier
	}
	m.contact = contact.New(numbers)
	m.sender, err = mailSender(cfg, m.egress)
	if err != nil {
		return err
	}
	messages.Sender, messages.Contact = m.sender, m.contact
	m.notify, err = notify.New(messages)
	if err != nil {
		return err
	}
	checker, err := identityChecker(cfg, m.egress)
	if err != nil {
		return err
	}
	m.realname = realname.New(realname.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault,
		Consent: m.consent, Ages: m.age, Checker: checker, Profile: cfg.Profile,
		Cases: lateDesk{m}, Corrections: lateDesk{m}, Needs: lateServices{m},
	})
	return nil
}

func (m *modules) vpns(cfg config.Config, s *stores, hasher *password.Hasher, log *slog.Logger) {
	now := clock.System{}
	m.downloads = download.New(cfg.Downloads)
	m.fleet = fleet.New(fleet.Deps{DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Vault: s.vault})
	m.vpn = vpn.New(vpn.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Fleet: m.fleet, Vault: s.vault,
		System: s.vault, Password: hasher, Corrections: lateDesk{m}, Notices: lateDesk{m}, Policies: clientPolicy{m.consent},
		Config: vpn.Config{
			BaseDomain: cfg.Node.Domain, Networks: networks(cfg), SecretTTL: cfg.VPN.SecretTTL,
			URL: strings.TrimSuffix(cfg.Console.URL, "/"), MaxBanScore: cfg.MaxBanScore, ReservedPorts: reservedPorts(cfg),
			Releases: m.downloads.Root,
		},
	})
}

// lateAge answers the questions that the module consent asks of the module age,
// which stands after it.
type lateAge struct{ m *modules }

func (l lateAge) Gate(ctx context.Context, subject id.Handle) error {
	return l.m.age.Gate(ctx, subject)
}

func (l lateAge) StatedTx(ctx context.Context, tx *db.Tx, subject id.Handle, adult bool) error {
	return l.m.age.StatedTx(ctx, tx, subject, adult)
}

// lateEraser is the rights desk for the module age, which stands before it.
type lateEraser struct{ m *modules }

func (l lateEraser) EraseMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, owner string) (fresh bool, err error) {
	return l.m.privacy.EraseMinorTx(ctx, tx, subject, owner)
}

func (l lateEraser) RestrictMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, owner string) error {
	return l.m.privacy.RestrictMinorTx(ctx, tx, subject, owner)
}

// lateDesk is the rights desk for the modules that stand before it.
type lateDesk struct{ m *modules }

func (l lateDesk) CorrectedTx(ctx context.Context, tx *db.Tx, subject id.Handle, columns ...string) error {
	return l.m.privacy.CorrectedTx(ctx, tx, subject, columns...)
}

func (l lateDesk) CorrectingTx(ctx context.Context, tx *db.Tx, caseID string) (id.Handle, error) {
	return l.m.privacy.CorrectingTx(ctx, tx, caseID)
}

// FromTicketTx fills ticket.Desk.
func (l lateDesk) FromTicketTx(ctx context.Context, tx *db.Tx, staff account.Principal, a ticket.Asked) (string, error) {
	return l.m.privacy.FromTicketTx(ctx, tx, staff, a)
}

// bought tells what is an account's: a resource with a service, or an order.
type bought struct {
	m *modules
	q db.Q
}

// Owned fills ticket.Things.
func (b bought) Owned(ctx context.Context, owner account.ID, resource string) error {
	_, err := b.m.service.Owned(ctx, b.q, owner, resource)
	if errs.IsNotFound(err) {
		_, err = b.m.order.Get(ctx, owner, resource)
	}
	if errs.IsNotFound(err) {
		return ticket.ErrResource
	}
	return err
}

// Unread counts notices of incidents.
func (l lateDesk) Unread(ctx context.Context, q db.Q, subject id.Handle) (int, error) {
	return l.m.incident.Unread(ctx, q, subject)
}

// lateChannels tells the module consent which channels answer.
type lateChannels struct{ m *modules }

func (l lateChannels) Silent(ctx context.Context) ([]string, error) { return l.m.privacy.Silent(ctx) }

// lateOrders answers the question that the module service asks of the module
// order, which stands after it.
type lateOrders struct{ m *modules }

func (l lateOrders) OrderLines(ctx context.Context, id string) ([]service.Line, error) {
	return l.m.order.OrderLines(ctx, id)
}

// lateWallet has orders paid by the module payment, which stands after order.
type lateWallet struct{ m *modules }

func (l lateWallet) PayFromWallet(ctx context.Context, o order.Order) error {
	_, err := l.m.payment.PayForOwner(ctx, o.ID)
	return err
}

// lateHolds tells the module service what a law keeps. A hold on one class of
// records is none on a service.
type lateHolds struct{ m *modules }

func (l lateHolds) Keeps(ctx context.Context, subject id.Handle) (bool, error) {
	all, err := l.m.privacy.HeldOf(ctx, subject)
	return slices.ContainsFunc(all, func(h privacy.Hold) bool { return h.Class == "" }), err
}

func (m *modules) money(cfg config.Config, s *stores, log *slog.Logger) error {
	now, own := clock.System{}, ownvpn.New(m.vpn)
	rules, err := walletRules(cfg)
	if err != nil {
		return err
	}
	m.service = service.New(service.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit,
		Orders: lateOrders{m}, RealName: m.realname, Regions: m.catalog, Books: m.ledger, Holds: lateHolds{m},
		Providers: map[string]service.Provider{catalog.VPNGateway: own}, AutoRenew: !rules.NoTopUp,
	})
	own.Watch(m.queue, m.service.Observe)
	m.order = order.New(order.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit,
		Catalog: m.catalog, Consent: m.consent, RealName: m.realname, Goods: map[string]order.Goods{catalog.VPNGateway: own},
		Services: m.service, Wallet: lateWallet{m}, Invoices: lateInvoices{m},
	})
	accounts, err := gatewayAccounts(cfg, m.egress)
	if err != nil {
		return err
	}
	m.payment, err = payment.New(payment.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit,
		Ledger: m.ledger, Orders: m.order, Accounts: accounts, BaseURL: strings.TrimSuffix(cfg.Console.URL, "/"), Title: brand(cfg),
		Services: m.service,
		Refunds:  payment.RefundRules{AutomaticUpTo: cfg.Refunds.AutomaticUpTo, SecondPersonAbove: cfg.Refunds.SecondPersonAbove},
		Wallet:   rules, Owners: m.account, Invoices: lateInvoices{m},
	})
	if err != nil {
		return err
	}
	m.invoice, err = invoice.New(invoice.Deps{
		DB: s.main, Clock: now, Queue: m.queue, Log: log, Audit: m.audit, Catalog: m.catalog,
		Ledger: m.ledger, Orders: m.order, Payments: m.payment, Services: m.service, Settings: invoicing(cfg),
	})
	return err
}

// reservedPorts are the ports that this host's own listeners have on the
// addresses of its node.
func reservedPorts(cfg config.Config) (ports []int) {
	for _, listen := range []string{cfg.Console.Listen, cfg.Gwlink.Listen, cfg.Metrics.Control, cfg.Metrics.Gateway} {
		host, port, err := net.SplitHostPort(listen)
		if err != nil {
			continue // off, or said by config.Validate
		}
		at, _ := netip.ParseAddr(host)
		everywhere := host == "" || at.IsUnspecified()
		shared := slices.ContainsFunc(cfg.Node.Addresses, func(a netip.Addr) bool { return a == at || a.IsUnspecified() })
		if n, err := strconv.Atoi(port); err == nil && (everywhere || shared) {
			ports = append(ports, n)
		}
	}
	return ports
}

func networks(cfg config.Config) []vpn.Network {
	var all []vpn.Network
	for id, n := range cfg.Node.Networks {
		v := vpn.Network{ID: id, Name: n.Title, Region: cfg.Node.Region, Prefixes: []netip.Prefix{n.CIDR}}
		if n.CIDR6.IsValid() {
			v.Prefixes = append(v.Prefixes, n.CIDR6)
		}
		for _, a := range n.Accounts {
			v.Accounts = append(v.Accounts, account.ID(a))
		}
		all = append(all, v)
	}
	return all
}

// seed brings a new installation to where it can serve: documents, catalogue,
// this host's node, and in a demonstration the operator's account.
func (m *modules) seed(ctx context.Context, cfg config.Config) (fleet.Node, error) {
	if err := m.residency.Attest(ctx); err != nil {
		return fleet.Node{}, err
	}
	if err := m.consent.Seed(ctx); err != nil {
		return fleet.Node{}, fmt.Errorf("publishing the policies: %w", err)
	}
	if cfg.Demo.Enabled {
		if err := m.seedDemo(ctx, cfg); err != nil {
			return fleet.Node{}, err
		}
	}
	for _, n := range cfg.Gwlink.Nodes {
		_, err := m.fleet.EnsureNode(ctx, fleet.NodeSpec{
			Name: n.Name, Region: n.Region, Location: n.Location,
			Addresses: n.Addresses, KeySHA256: strings.ToLower(n.KeySHA256),
		})
		if err != nil {
			return fleet.Node{}, fmt.Errorf("registering node %s: %w", n.Name, err)
		}
	}
	node, err := m.fleet.EnsureNode(ctx, fleet.NodeSpec{
		Name: cfg.Node.Name, Region: cfg.Node.Region, Location: cfg.Node.Location,
		Addresses: cfg.Node.Addresses,
	})
	if err != nil {
		return node, fmt.Errorf("registering this host's node: %w", err)
	}
	return node, nil
}

// servingJobs are the jobs that read of everybody, and why that is no reading of
// many by one: what each reads goes to its person, or where the person sent it.
var servingJobs = map[string]string{
	notify.DeliverJob: "a notice to the person",
	realname.CheckJob: "a check that the person asked for",
	privacy.ExportJob: "a copy that the person asked for",
}

// The demonstration's staff accounts: one for each power, since none goes with
// another.
const (
	OperatorName = "operator" // runs the system, and deals with cases and identities
	SecurityName = "security"
	AuditorName  = "auditor"
)

var demoStaff = map[string][]account.Role{
	OperatorName: {account.RoleSystem, account.RoleDesk, account.RoleIdentity},
	SecurityName: {account.RoleSecurity},
	AuditorName:  {account.RoleAudit},
}

func (m *modules) seedStaff(ctx context.Context, cfg config.Config) error {
	for name, roles := range demoStaff {
		secret, err := ensureSecret(cfg.Path(name + "-password"))
		if err != nil {
			return fmt.Errorf("the password of %s: %w", name, err)
		}
		_, err = m.account.EnsureStaff(ctx, account.Staff{
			Name: name, Password: secret, Email: name + "@demo.invalid", Permissions: account.PermissionsOf(roles...),
		})
		if err != nil {
			return fmt.Errorf("the account of %s: %w", name, err)
		}
	}
	return nil
}

func (m *modules) seedDemo(ctx context.Context, cfg config.Config) error {
	file, err := catalog.Demo()
	if err != nil {
		return err
	}
	if err := m.catalog.Seed(ctx, file); err != nil {
		return fmt.Errorf("seeding the catalogue: %w", err)
	}
	if err := m.agreement.SeedDemo(ctx); err != nil {
		return fmt.Errorf("the demonstration's agreements: %w", err)
	}
	return m.seedStaff(ctx, cfg)
}
