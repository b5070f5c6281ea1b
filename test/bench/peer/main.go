// Command peer is our own client for benchmarks and network tests: it logs in
// with a password, makes a tunnel device with the addresses and routes that the
// server gives, and moves packets until SIGTERM. It is not shipped.
//
//	peer -server 198.51.100.1:443 -pin BASE64 -user NAME < PASSWORD
//
// It prints "tls" when the tunnel is up and "dtls" when data goes by UDP.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/test/bench/profile"
)

type options struct {
	cfg    client.Config
	user   string
	device string
	queues int
}

func main() {
	var o options
	flag.StringVar(&o.cfg.Server, "server", "", "host:port of the gateway")
	flag.StringVar(&o.cfg.Pin, "pin", "", "base64 of the SHA-256 of its public key")
	flag.BoolVar(&o.cfg.DTLS, "dtls", true, "use DTLS when the gateway offers it")
	ext := flag.String("ext", "", "private extensions to ask for, with commas")
	flag.StringVar(&o.user, "user", "", "name to log in with; the password comes by standard input")
	flag.StringVar(&o.device, "tun", "peer0", "name of the tunnel device")
	flag.IntVar(&o.queues, "queues", max(1, runtime.NumCPU()/2), "queues of the device")
	cpu := flag.String("cpuprofile", "", "file to write a CPU profile to")
	flag.Parse()
	if *ext != "" {
		o.cfg.Extensions = strings.Split(*ext, ",")
	}
	err := profile.CPU(*cpu, func() error { return run(o) })
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	cookie, err := client.Login(ctx, o.cfg, client.Password(o.user, in.Text()))
	if err != nil {
		return err
	}
	s, err := client.Connect(ctx, o.cfg, cookie)
	if err != nil {
		return err
	}
	queues, err := tun.Open(o.device, o.queues)
	if err != nil {
		return err
	}
	if err := configure(o.device, s.Tunnel()); err != nil {
		return err
	}
	go tell(ctx, s)
	return s.Run(ctx, queues)
}

// tell says when the channel changes.
func tell(ctx context.Context, s *client.Session) {
	last := ""
	for ctx.Err() == nil {
		if now := s.Channel(); now != last {
			fmt.Println(now)
			last = now
		}
		time.Sleep(20 * time.Millisecond)
	}
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
			errs = append(errs, netlink.AddrReplace(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))}))
		}
	}
	for _, p := range t.SplitInclude {
		errs = append(errs, netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(p)}))
	}
	return errors.Join(errs...)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
