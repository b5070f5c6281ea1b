package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// ErrLacking is what Doctor returns when something needed is missing.
var ErrLacking = errors.New("something needed is missing; see above")

type finding struct {
	what   string
	ok     bool
	needed bool
	remedy string
}

// Doctor says what this machine has and lacks, one line each, with the remedy.
func Doctor(ctx context.Context, cfg config.Config, out io.Writer) error {
	bad := false
	for _, f := range append(machine(), installation(ctx, cfg)...) {
		word := "ok     "
		switch {
		case f.ok:
			f.remedy = ""
		case f.needed:
			word, bad = "LACKING", true
		default:
			word = "absent "
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%s  %s  %s", word, f.what, f.remedy), " "))
	}
	if bad {
		return ErrLacking
	}
	return nil
}

func machine() []finding {
	_, noTun := os.Stat("/dev/net/tun")
	_, noOpenconnect := exec.LookPath("openconnect")
	return []finding{
		{"rights to make tunnels (CAP_NET_ADMIN)", netAdmin(), true, "run the gateway as root or with CAP_NET_ADMIN; the control plane needs neither"},
		{"/dev/net/tun", noTun == nil, true, "load the module tun"},
		{"nftables in the kernel", nftables(), true, "load the module nf_tables"},
		{"openconnect, for skybridge demo", noOpenconnect == nil, false, "apt-get install openconnect"},
	}
}

func netAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
}

// nftables opens the kernel's netfilter socket, which fails where the kernel
// has none.
func nftables() bool {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return false
	}
	return unix.Close(fd) == nil
}

func installation(ctx context.Context, cfg config.Config) []finding {
	found := []finding{{"console address " + cfg.Console.Listen, free(cfg.Console.Listen), false, "in use: by a running skybridge, or choose another with --listen"}}
	d, err := db.Open(ctx, cfg.MainDatabase())
	if err != nil {
		return append(found, finding{"database", false, true, err.Error()})
	}
	defer func() { _ = d.Close() }()
	behind, err := d.Pending(ctx, Migrations()...)
	remedy := "the next start brings them to this version"
	if d.Dialect() == db.Postgres {
		remedy = "run skybridge migrate; behind: " + strings.Join(behind, ", ")
	}
	found = append(found, finding{"database", err == nil, true, errorText(err)},
		finding{"tables of this version", len(behind) == 0, false, remedy})
	if err != nil || len(behind) > 0 {
		return found
	}
	found = append(append(found, deadJobs(ctx, d)), backups(ctx, cfg, d)...)
	return append(found, paymentAccounts(cfg)...)
}

// soon is how long before its end a certificate is spoken of.
const soon = 30 * 24 * time.Hour

// paymentAccounts reads keys and certificates of the configured accounts, without
// asking anybody, and holds the console's address to one that providers reach.
func paymentAccounts(cfg config.Config) (found []finding) {
	for _, k := range openers {
		if !k.on(cfg) {
			continue
		}
		a, err := k.open(cfg, nil)
		found = append(found, finding{"payment account " + k.kind, err == nil, true, errorText(err)})
		g, ok := a.Gateway.(interface{ Expires() time.Time })
		if err != nil || !ok || g.Expires().IsZero() {
			continue
		}
		found = append(found, finding{"certificates of " + k.kind, time.Until(g.Expires()) > soon, true, "the first ends on " + g.Expires().Format(time.DateOnly)})
	}
	if len(found) == 0 {
		return []finding{{"payment accounts", false, false, "nothing can be sold for money: configure epay, alipay or wechatpay"}}
	}
	if u, err := url.Parse(cfg.Console.URL); !cfg.Demo.Enabled && (err != nil || u.Scheme != "https" || local(u.Hostname())) {
		found = append(found, finding{"address for payment notices", false, true, "console.url is where providers send notices: give the https address that the internet reaches"})
	}
	return found
}

func local(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate() || a.IsUnspecified())
}

// backups tells of each store whether a backup was done within two periods, and
// what went wrong last.
func backups(ctx context.Context, cfg config.Config, d *db.DB) (found []finding) {
	if cfg.Backup.Main.Directory == "" {
		return []finding{{"backups", false, false, ErrNoBackup.Error()}}
	}
	all, err := backup.States(ctx, d)
	if err != nil {
		return []finding{{"backups", false, true, err.Error()}}
	}
	for _, s := range all {
		remedy := "none was ever done: run skybridge backup"
		if !s.Success.IsZero() {
			remedy = "the last one is of " + s.Success.Format(time.DateTime)
		}
		if s.Failure != "" {
			remedy += "; since then: " + s.Failure
		}
		found = append(found, finding{"backup of the store " + string(s.Store), s.Failure == "" && time.Since(s.Success) < 2*cfg.Backup.Every, true, remedy})
	}
	return found
}

// deadJobs tells what was given up and waits for a person.
func deadJobs(ctx context.Context, d *db.DB) finding {
	all, err := job.DeadIn(ctx, d)
	if err != nil {
		return finding{"background work", false, true, err.Error()}
	}
	var remedy []string
	for _, j := range all {
		remedy = append(remedy, fmt.Sprintf("%s since %s: %s", j.Kind, j.Since.Format(time.DateTime), j.Error))
	}
	return finding{"background work, none given up", len(all) == 0, true, strings.Join(remedy, "; ")}
}

func free(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
