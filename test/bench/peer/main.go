// Command peer is our own client's engine for benchmarks and network tests: it
// logs in, makes a tunnel device with the addresses and routes that the server
// gives, and keeps the tunnel up until SIGTERM, or SIGINT, which logs out as well.
// It is not shipped.
//
//	peer -server 198.51.100.1:443 -pin BASE64 -user NAME < PASSWORD
//
// It prints "tls" when the tunnel is up and "dtls" when data goes by UDP, again
// after each reconnect, and with -verbose every change. SIGHUP is a change of the
// machine's network.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/test/bench/profile"
)

type options struct {
	cfg     client.Config
	user    string
	group   string
	seed    string
	device  string
	queues  int
	giveUp  time.Duration
	verbose bool
}

// allowed lets packets of tests leave: there is nobody who could agree.
type allowed struct{}

func (allowed) Allows() error { return nil }

func main() {
	o := options{cfg: client.Config{Permit: allowed{}, Trust: trust.Anchors{System: x509.SystemCertPool}}}
	flag.StringVar(&o.cfg.Server, "server", "", "host:port of the gateway")
	pin := flag.String("pin", "", "base64 of the SHA-256 of its public key")
	flag.StringVar(&o.cfg.Path, "path", "", "path of the URL that was typed")
	flag.BoolVar(&o.cfg.DTLS, "dtls", true, "use DTLS when the gateway offers it")
	ext := flag.String("ext", "", "private extensions to ask for, with commas")
	proxy := flag.String("proxy", "", "URL of an HTTP proxy")
	cert, key := flag.String("cert", "", "PEM file of a client certificate"), flag.String("key", "", "PEM file of its key")
	flag.StringVar(&o.user, "user", "", "name to log in with; the password comes by standard input")
	flag.StringVar(&o.group, "group", "", "group to choose")
	flag.StringVar(&o.seed, "totp", "", "seed of one-time codes in base32")
	flag.StringVar(&o.device, "tun", "peer0", "name of the tunnel device")
	flag.IntVar(&o.queues, "queues", max(1, runtime.NumCPU()/2), "queues of the device")
	flag.DurationVar(&o.giveUp, "giveup", 0, "how long to try without a tunnel, 0 for ever")
	flag.BoolVar(&o.verbose, "verbose", false, "tell all changes")
	cpu := flag.String("cpuprofile", "", "file to write a CPU profile to")
	flag.Parse()
	if *pin != "" {
		o.cfg.Trust.Pins = []string{*pin}
	}
	if *ext != "" {
		o.cfg.Extensions = strings.Split(*ext, ",")
	}
	err := errors.Join(o.useProxy(*proxy), o.useCertificate(*cert, *key))
	if err == nil {
		err = profile.CPU(*cpu, func() error { return run(o) })
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func (o *options) useProxy(text string) (err error) {
	if text != "" {
		o.cfg.Proxy, err = url.Parse(text)
	}
	return err
}

func (o *options) useCertificate(cert, key string) error {
	if cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	o.cfg.Certificate = &pair
	return err
}

func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cookie, err := o.login(ctx)
	if err != nil {
		return err
	}
	link := client.NewLink(o.cfg, cookie, func(openconnect.Tunnel) ([]tun.Queue, error) {
		return tun.Open(o.device, o.queues)
	})
	link.GiveUp = o.giveUp
	link.OnTunnel = func(t openconnect.Tunnel) error { return configure(o.device, t) }
	link.OnMTU = func(mtu int) error { return setMTU(o.device, mtu) }
	go o.tell(ctx, link)
	go follow(link)
	return link.Run(ctx)
}

func (o *options) login(ctx context.Context) (openconnect.Secret, error) {
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	known := &client.Known{Name: o.user, Password: openconnect.NewSecret(in.Bytes()), Group: o.group}
	if o.seed != "" {
		known.Token = func() *client.Token { return client.TOTP(o.seed) }
	}
	defer known.Password.Zero()
	return client.Login(ctx, o.cfg, known.Answer)
}

// follow does what signals say.
func follow(link *client.Link) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGHUP)
	for s := range c {
		if s == syscall.SIGHUP {
			link.Kick()
		} else {
			link.Disconnect()
		}
	}
}

// tell says when the channel changes.
func (o *options) tell(ctx context.Context, link *client.Link) {
	last, state, connections := "", client.Connecting, 0
	for ctx.Err() == nil {
		now := link.Snapshot()
		if now.Channel != last && now.Channel != "" {
			fmt.Println(now.Channel)
		}
		if o.verbose && (now.State != state || now.Channel != last || now.Connections != connections) {
			fmt.Printf("%s %q connections %d mtu %d trip %s %s %s %s %v\n",
				now.State, now.Cause, now.Connections, now.MTU, now.RoundTrip, now.TLSVersion, now.TLSSuite, now.DTLSSuite, now.Err)
		}
		last, state, connections = now.Channel, now.State, now.Connections
		time.Sleep(20 * time.Millisecond)
	}
}

func setMTU(name string, mtu int) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetMTU(link, mtu)
}

// configure gives the device its addresses and routes.
func configure(name string, t openconnect.Tunnel) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	errs := []error{netlink.LinkSetMTU(link, t.MTU), netlink.LinkSetUp(link)}
	for _, p := range []netip.Prefix{t.IPv4, t.IPv6} {
		if p.IsValid() {
			errs = append(errs, netlink.AddrReplace(link, address(p.Addr())))
		}
	}
	for _, p := range t.SplitInclude {
		errs = append(errs, netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(p)}))
	}
	return errors.Join(errs...)
}

// address is one of the device; nobody else there could have it.
func address(a netip.Addr) *netlink.Addr {
	out := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, a.BitLen()))}
	if a.Is6() {
		out.Flags = syscall.IFA_F_NODAD
	}
	return out
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
