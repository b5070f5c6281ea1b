package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// openInstallation opens what a command for operators works on.
func openInstallation(ctx context.Context, cfg config.Config, log *slog.Logger) (*stores, *modules, error) {
	if err := opened(cfg); err != nil {
		return nil, nil, err
	}
	s, err := openStores(ctx, cfg, log)
	if err != nil {
		return nil, nil, err
	}
	m, err := newModules(cfg, s, log)
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return s, m, nil
}

// NewStaff is what AddStaff is told.
type NewStaff struct {
	Name, Email string
	Roles       []string
	Permissions []string // beside those of the roles
}

// AddStaff makes an account of the operator's staff and prints its password and
// second factor, once. A staff account that exists keeps both, and holds what is
// named in the place of what it held. With nothing named it is the account that
// begins an installation.
func AddStaff(ctx context.Context, cfg config.Config, in NewStaff, out io.Writer, log *slog.Logger) error {
	st := account.Staff{Name: in.Name, Email: in.Email, Password: id.Random(15), Permissions: in.Permissions, Founder: len(in.Roles)+len(in.Permissions) == 0}
	if err := account.CheckPermissions(st.Permissions); err != nil {
		return fmt.Errorf("%w; there are: %s", err, strings.Join(account.AllPermissions(), ", "))
	}
	for _, name := range in.Roles {
		if !slices.Contains(account.Roles(), account.Role(name)) {
			return fmt.Errorf("%w; there are: %v", account.ErrRole.With("role", name), account.Roles())
		}
		st.Permissions = append(st.Permissions, account.Role(name).Permissions()...)
	}
	slices.Sort(st.Permissions)
	st.Permissions = slices.Compact(st.Permissions)
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	got, err := m.account.EnsureStaff(ctx, st)
	if err != nil {
		return err
	}
	if got.Enrolment == nil {
		_, err = fmt.Fprintf(out, "%s: is staff already, and may now: %s\n", got.Name, maySentence(st))
		return err
	}
	return errors.Join(printStaff(out, got, st.Password), founderHint(out, st))
}

func maySentence(st account.Staff) string {
	if st.Founder {
		return "do all that nobody else may, for 30 days"
	}
	return strings.Join(st.Permissions, ", ")
}

// founderHint tells who begins alone how to go on.
func founderHint(out io.Writer, st account.Staff) error {
	if !st.Founder {
		return nil
	}
	_, err := fmt.Fprint(out, "This account may do all that nobody else may, for 30 days. Within them give the powers to others:\n"+
		"  skybridge admin add-staff NAME EMAIL --role system    and --role audit\nWith the second this account keeps security administration alone.\n")
	return err
}

// Glass is what BreakGlass is told.
type Glass struct{ Name, Role, Reason string }

// BreakGlass puts a power in force for a member of the staff for four hours, in
// the place of the one held.
func BreakGlass(ctx context.Context, cfg config.Config, in Glass, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	until, err := m.account.BreakGlass(ctx, in.Name, account.Power(in.Role), in.Reason)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: holds %s administration until %s and nothing else; it is in the log\n", in.Name, in.Role, until.UTC().Format(time.RFC3339))
	return err
}

func printStaff(out io.Writer, got account.Registered, password string) error {
	factor := "to be enrolled at the next sign-in"
	if got.Enrolment != nil {
		factor = got.Enrolment.URL
	}
	_, err := fmt.Fprintf(out, "user      %s\npassword  %s\nfactor    %s\nThis is not shown again.\n", got.Name, password, factor)
	return err
}

// ResetStaff prints a new password and second factor for a member of the
// staff, once, and ends the sessions of the old ones.
func ResetStaff(ctx context.Context, cfg config.Config, name string, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	secret := id.Random(15)
	got, err := m.account.ResetStaff(ctx, name, secret)
	if err != nil {
		return err
	}
	return printStaff(out, got, secret)
}

// DisableStaff shuts a member of the staff out at once.
func DisableStaff(ctx context.Context, cfg config.Config, name string, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	if err := m.account.DisableStaff(ctx, name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: has no permissions, no sessions and no password any more\n", name)
	return err
}

// PublishCatalogue makes a file the current catalogue. Open quotes become
// stale; placed orders keep their prices.
func PublishCatalogue(ctx context.Context, cfg config.Config, file string, out io.Writer, log *slog.Logger) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f, err := catalog.ParseFile(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	version, err := m.catalog.Publish(ctx, f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "catalogue version %d is in force\n", version)
	return err
}

// VerifyAudit recomputes the audit log and compares it with its checkpoints.
func VerifyAudit(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	report, err := m.audit.Verify(ctx)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		fmt.Fprintf(out, "%v\n", p)
	}
	if len(report.Problems) > 0 {
		return ErrAudit
	}
	_, err = fmt.Fprintf(out, "%d leaves, %d checkpoints, root %s: the log is whole\n", report.Size, report.Checkpoints, report.Root)
	return err
}

// ErrAudit says that the audit log was altered.
var ErrAudit = errors.New("the audit log does not verify; the lines above say where")

// NodeKey prints what a configuration names a gateway node's key by.
func NodeKey(file string, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s holds no certificate in PEM", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	_, err = fmt.Fprintln(out, fleet.KeyDigest(cert))
	return err
}

// ListNodes prints the gateway nodes: name, region, health, and whether a node
// drains.
func ListNodes(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	all, err := m.fleet.Nodes(ctx)
	for _, n := range all {
		service := "in service"
		if n.Draining {
			service = "draining"
		}
		fmt.Fprintf(out, "%-20s %-12s %-8s %s\n", n.Name, n.Region, n.Health(time.Now()), service)
	}
	return err
}

// DrainNode lets a node take no new logins and no new gateways, or brings it
// back. Sessions go on.
func DrainNode(ctx context.Context, cfg config.Config, name string, on bool, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	n, err := m.fleet.NodeByName(ctx, name)
	if err != nil {
		return err
	}
	if _, err := m.fleet.Drain(ctx, account.Principal{}, n.ID, on); err != nil {
		return err
	}
	said := map[bool]string{true: "is draining: no new logins, no new gateways; sessions go on", false: "is in service"}
	_, err = fmt.Fprintf(out, "%s %s\n", name, said[on])
	return err
}

// ListQuotaRequests prints what customers asked for more of, the oldest first.
func ListQuotaRequests(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	all, err := m.vpn.QuotaRequests(ctx, "")
	for _, q := range all {
		fmt.Fprintf(out, "%s  %s  %-14s %d\n", q.AskedAt.UTC().Format(time.RFC3339), q.Account, q.Name, q.Wanted)
	}
	return err
}

// QuotaDecision is what DecideQuota is told.
type QuotaDecision struct {
	Account, Name string
	Limit         int
	Decline       bool // what the account asked for
	Reason        string
}

// DecideQuota gives an account a limit of its own, or declines what it asked for.
func DecideQuota(ctx context.Context, cfg config.Config, in QuotaDecision, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	d := vpn.QuotaDecision{Account: account.ID(in.Account), Name: in.Name, Limit: in.Limit, Reason: in.Reason}
	if _, err := m.account.Owner(ctx, d.Account); err != nil {
		return err
	}
	decide, said := m.vpn.SetQuota, fmt.Sprintf("%s: %s is %d", in.Account, in.Name, in.Limit)
	if in.Decline {
		decide, said = m.vpn.DeclineQuota, fmt.Sprintf("%s: the request for more %s is declined", in.Account, in.Name)
	}
	if err := decide(ctx, account.Principal{}, d); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, said)
	return err
}
