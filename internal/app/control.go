package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/transport"
	"github.com/skybridge-cloud/skybridge/internal/web"
	"github.com/skybridge-cloud/skybridge/internal/web/gwserver"
	"github.com/skybridge-cloud/skybridge/internal/web/selfsigned"
)

// workers is how many jobs one control process runs at a time.
const workers = 4

// Control runs the control plane until ctx ends.
func Control(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, err := openStores(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	m, err := newModules(cfg, s, log)
	if err != nil {
		return err
	}
	if err := m.reopen(ctx, cfg, s, log); err != nil {
		return err
	}
	// A log that was cut or altered is found before anything is added to it.
	if err := m.audit.CheckRoot(ctx); err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	node, err := m.seed(ctx, cfg)
	if err != nil {
		return err
	}
	if err := m.tellPowers(ctx, log); err != nil {
		return err
	}
	cert, err := certificate(cfg)
	if err != nil {
		return err
	}
	handler, err := routes(cfg, m, s, log)
	if err != nil {
		return err
	}
	nodes := gwserver.Handler(gwserver.Options{Fleet: m.fleet, VPN: m.vpn, Identify: gwserver.Local(node), Log: log, Logins: &m.logins})
	sv := servers{console: consoleServer(handler, cert, log), nodes: nodeServer(nodes), metrics: m.metrics(s, log)}
	if cfg.Gwlink.Listen != "" {
		if sv.remote, err = m.remoteNodes(cfg, cert, log); err != nil {
			return err
		}
	}
	return m.run(ctx, cfg, sv, func() { welcome(cfg, cert, out) }, log)
}

// servers are what a control process answers: people and programs, the gateway
// node of this host, and nodes of other hosts.
type servers struct {
	console, nodes *http.Server
	remote         *http.Server // nil where the configuration allows no other hosts
	metrics        http.Handler
}

func consoleServer(h http.Handler, cert tls.Certificate, log *slog.Logger) *http.Server {
	c := transport.Config()
	c.Certificates = []tls.Certificate{cert}
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), TLSConfig: c,
	}
}

func nodeServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
}

// run serves and works until ctx ends or a part fails; then it ends them all.
// It calls ready once, when it listens.
func (m *modules) run(ctx context.Context, cfg config.Config, sv servers, ready func(), log *slog.Logger) error {
	https, err := net.Listen("tcp", cfg.Console.Listen)
	if err != nil {
		return fmt.Errorf("listening for the console: %w", err)
	}
	socket, err := listenNodes(cfg, log)
	if err != nil {
		return errors.Join(err, https.Close())
	}
	if err := m.recover(ctx, cfg); err != nil {
		return errors.Join(err, https.Close(), socket.Close())
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	part := func(name string, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	part("console", func() error {
		return web.Serve(ctx, sv.console, func() error { return closed(sv.console.ServeTLS(https, "", "")) })
	})
	part("gwlink", func() error {
		return web.Serve(ctx, sv.nodes, func() error { return closed(sv.nodes.Serve(socket)) })
	})
	if sv.remote != nil {
		part("gwlink over TLS", func() error {
			return web.Serve(ctx, sv.remote, func() error { return closed(sv.remote.ListenAndServeTLS("", "")) })
		})
	}
	if cfg.Metrics.Control != "" {
		part("metrics", func() error { return metric.Serve(ctx, cfg.Metrics.Control, sv.metrics, nil) })
	}
	part("access log", func() error { return m.account.Run(ctx) })
	part("jobs", func() error { m.queue.Run(ctx, workers); return nil })
	ready()
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// recover takes over what a killed process was doing. On an embedded database
// there is no other process that could be doing it still: one alone has the
// console's address. On PostgreSQL leases run out by themselves.
func (m *modules) recover(ctx context.Context, cfg config.Config) error {
	if cfg.Database != "" {
		return nil
	}
	return errors.Join(m.queue.Recover(ctx), m.idempotency.Recover(ctx))
}

// remoteNodes is the server for gateway nodes on other hosts: each is known by
// the key that its TLS handshake proves.
func (m *modules) remoteNodes(cfg config.Config, cert tls.Certificate, log *slog.Logger) (*http.Server, error) {
	if cfg.Gwlink.Certificate != "" {
		own, err := tls.LoadX509KeyPair(cfg.Gwlink.Certificate, cfg.Gwlink.Key)
		if err != nil {
			return nil, fmt.Errorf("gwlink.certificate: %w", err)
		}
		cert = own
	}
	s := nodeServer(gwserver.Handler(gwserver.Options{Fleet: m.fleet, VPN: m.vpn, Identify: gwserver.ByKey(m.fleet), Log: log, Logins: &m.logins}))
	s.Addr, s.TLSConfig = cfg.Gwlink.Listen, gwserver.TLSConfig(cert)
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	return s, nil
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// listenNodes listens for this host's gateway process, which runs as the same
// user or as root.
func listenNodes(cfg config.Config, log *slog.Logger) (net.Listener, error) {
	path := cfg.ControlSocket()
	if strings.Contains(path, "://") {
		return nil, fmt.Errorf("node.control: the control plane listens on a unix socket; leave %s to the files of nodes on other hosts", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return gwserver.ListenUnix(path, log, os.Getuid(), 0)
}

func certificate(cfg config.Config) (tls.Certificate, error) {
	if cfg.Console.Certificate != "" {
		c, err := tls.LoadX509KeyPair(cfg.Console.Certificate, cfg.Console.Key)
		if err != nil {
			return c, fmt.Errorf("console.certificate: %w", err)
		}
		return c, nil
	}
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if u, err := url.Parse(cfg.Console.URL); err == nil {
		hosts = append(hosts, u.Hostname())
	}
	return selfsigned.Ensure(cfg.Path("tls"), hosts, time.Now())
}

// welcome tells a person what to do next.
func welcome(cfg config.Config, cert tls.Certificate, out io.Writer) {
	fmt.Fprintf(out, "\nSkybridge is ready.\n\n  Console     %s\n  Certificate SHA-256 %s\n", cfg.Console.URL, selfsigned.Fingerprint(cert))
	if !cfg.Demo.Enabled {
		return
	}
	fmt.Fprintf(out, "  Operator    user %s, password in %s; the first sign-in sets up the second factor\n  Mailbox     http://%s/messages (mails of the demonstration)\n",
		OperatorName, cfg.Path("operator-password"), cfg.Demo.Mailbox)
	if len(cfg.Node.Addresses) > 0 {
		fmt.Fprintf(out, `
  Try the whole path by itself:   skybridge demo --data %s
  Or by hand: register on the console, order a gateway, create an SSL server and an SSL client, download the client's
  bundle, and connect from the demo client's machine:

    ip netns exec %s openconnect --resolve=SERVER_NAME:%s --servercert PIN \
        --certificate client.pem --sslkey key.pem --user NAME https://SERVER_NAME
    ip netns exec %s curl http://10.77.0.2/

  README.txt in the bundle has SERVER_NAME, PIN and NAME filled in.
`, cfg.Data, LabName+"-client", cfg.Node.Addresses[0], LabName+"-client")
	}
	fmt.Fprintln(out)
}
