// Package lab makes what the demonstration needs around a gateway node: a VPC
// with a host in it, and a client's machine, each a network namespace.
//
//	<name>-client                 node's namespace                  <name>-lan
//	198.51.100.2 ──── veth ──── 198.51.100.1 (gateways listen)    web server, iperf3
//	                             bridge <name> = the demo VPC ──── 10.77.0.2
//
// It is for demonstrations and end-to-end tests only. Everything it makes
// carries its name, so that Remove leaves nothing and a second Start replaces
// what a killed process left.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Addresses of the laboratory: documentation and private ranges.
var (
	NodeAddress   = netip.MustParsePrefix("198.51.100.1/24") // where gateways listen
	ClientAddress = netip.MustParsePrefix("198.51.100.2/24")
	VPC           = netip.MustParsePrefix("10.77.0.0/24")
	HostAddress   = netip.MustParsePrefix("10.77.0.2/24") // the LAN host
	GatewayFirst  = netip.MustParsePrefix("10.77.0.16/24")
	GatewayLast   = netip.MustParseAddr("10.77.0.250")

	VPC6          = netip.MustParsePrefix("fd00:77::/64")
	HostAddress6  = netip.MustParsePrefix("fd00:77::2/64")
	GatewayFirst6 = netip.MustParsePrefix("fd00:77::16/64")
)

// Lab is a running laboratory.
type Lab struct {
	name  string
	procs []*exec.Cmd
	ipv6  bool
}

// IPv6 tells whether the demo VPC has it: a machine may have it off.
func (l *Lab) IPv6() bool { return l.ipv6 }

// Bridge is the name of the bridge that is the demo VPC.
func (l *Lab) Bridge() string { return l.name }

// ClientNamespace is where a client's machine is: openconnect is run in it.
func (l *Lab) ClientNamespace() string { return ClientNamespace(l.name) }

// ClientNamespace returns the name of a laboratory's client namespace.
func ClientNamespace(name string) string { return name + "-client" }

// ErrRights says that the process may not make namespaces.
var ErrRights = errors.New("making network namespaces needs root")

// Start makes the laboratory. The LAN host runs hostArgs (a program and its
// arguments that serves HTTP on port 80) and iperf3. Its processes write to
// out and die with this one.
func Start(ctx context.Context, name string, hostArgs []string, out io.Writer) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, ErrRights
	}
	l := &Lab{name: name}
	l.remove()
	if err := l.links(); err != nil {
		l.remove()
		return nil, fmt.Errorf("making the demo networks: %w", err)
	}
	l.ipv6 = l.addIPv6() == nil
	for _, args := range [][]string{hostArgs, {"iperf3", "-s"}} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = out, out
		if err := StartIn(name+"-lan", cmd); err != nil {
			_ = l.Close()
			return nil, fmt.Errorf("starting %s on the LAN host: %w", filepath.Base(args[0]), err)
		}
		l.procs = append(l.procs, cmd)
	}
	return l, nil
}

// Close ends the laboratory's processes and removes its networks.
func (l *Lab) Close() error {
	for _, p := range l.procs {
		_ = p.Process.Kill()
		_ = p.Wait() // killed: its state tells nothing
	}
	l.remove()
	return nil
}

// StartIn starts a command inside a named network namespace. It dies with this
// process.
func StartIn(namespace string, cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	pidfd := -1
	cmd.SysProcAttr.Pdeathsig, cmd.SysProcAttr.PidFD = syscall.SIGKILL, &pidfd
	started := make(chan error, 1)
	// The signal comes when the starting thread ends, so the thread, which is
	// lost to the namespace anyway, stays until the command is gone.
	go func() {
		done := make(chan error, 1)
		runIn(namespace, func() error {
			err := cmd.Start()
			started <- err
			if err == nil && pidfd >= 0 {
				awaitExit(pidfd)
			}
			return nil
		}, done)
		if err := <-done; err != nil {
			started <- err
		}
	}()
	return <-started
}

// awaitExit blocks until the process behind a pidfd has ended, without reaping
// it.
func awaitExit(pidfd int) {
	defer func() { _ = unix.Close(pidfd) }()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// in runs f on a thread inside a namespace; what f starts is inside too.
func in(namespace string, f func() error) error {
	done := make(chan error, 1)
	go runIn(namespace, f, done)
	return <-done
}

// runIn is the body of a goroutine of its own.
func runIn(namespace string, f func() error, done chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	ns, err := netns.GetFromName(namespace)
	if err != nil {
		done <- fmt.Errorf("opening namespace %s: %w", namespace, err)
		return
	}
	defer func() { _ = ns.Close() }()
	if err := netns.Set(ns); err != nil {
		done <- fmt.Errorf("entering namespace %s: %w", namespace, err)
		return
	}
	done <- f()
}

func (l *Lab) links() error {
	for _, ns := range []string{"-lan", "-client"} {
		if err := makeNamespace(l.name + ns); err != nil {
			return err
		}
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = l.name
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("adding bridge %s: %w", l.name, err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return err
	}
	if err := l.veth("l", "-lan", HostAddress, func(outer netlink.Link) error {
		return netlink.LinkSetMaster(outer, bridge)
	}); err != nil {
		return err
	}
	return l.veth("c", "-client", ClientAddress, func(outer netlink.Link) error {
		return addAddress(outer, NodeAddress)
	})
}

// addIPv6 gives the LAN host an IPv6 address.
func (l *Lab) addIPv6() error {
	return in(l.name+"-lan", func() error {
		eth, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(HostAddress6.String())
		if err != nil {
			return err
		}
		a.Flags = unix.IFA_F_NODAD
		return netlink.AddrAdd(eth, a)
	})
}

// veth joins a namespace to the node's; suffix keeps the name within the
// kernel's 15 characters.
func (l *Lab) veth(suffix, ns string, inner netip.Prefix, attach func(netlink.Link) error) error {
	name := l.name + suffix
	peer, err := netns.GetFromName(l.name + ns)
	if err != nil {
		return err
	}
	defer func() { _ = peer.Close() }()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	link := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(int(peer))}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("adding veth %s: %w", name, err)
	}
	outer, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := errors.Join(attach(outer), netlink.LinkSetUp(outer)); err != nil {
		return fmt.Errorf("attaching veth %s: %w", name, err)
	}
	return in(l.name+ns, func() error {
		eth, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return errors.Join(addAddress(eth, inner), netlink.LinkSetUp(eth), netlink.LinkSetUp(lo))
	})
}

func addAddress(link netlink.Link, p netip.Prefix) error {
	a, err := netlink.ParseAddr(p.String())
	if err != nil {
		return err
	}
	return netlink.AddrAdd(link, a)
}

// remove undoes links, also what a killed process left. What is absent is
// fine: that is the state it makes.
func (l *Lab) remove() {
	for _, name := range []string{l.name + "l", l.name + "c", l.name} {
		if link, err := netlink.LinkByName(name); err == nil {
			_ = netlink.LinkDel(link)
		}
	}
	for _, ns := range []string{l.name + "-lan", l.name + "-client"} {
		path := filepath.Join("/run/netns", ns)
		_ = unix.Unmount(path, unix.MNT_DETACH)
		_ = os.Remove(path)
	}
}

func makeNamespace(name string) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // NewNamed moves the thread; it ends with the goroutine
		ns, err := netns.NewNamed(name)
		if err == nil {
			err = ns.Close()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		return fmt.Errorf("making namespace %s: %w", name, err)
	}
	return nil
}
