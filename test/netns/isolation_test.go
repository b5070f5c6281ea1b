//go:build netns

package netns

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// Two customers have the same VPC addresses, the same pool and the same port;
// the name in the TLS hello is all that tells them apart.
func TestTwoCustomersMayUseTheSameAddresses(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	second := l.secondCustomer()
	d := l.desired()
	d.Gateways = append(d.Gateways, second)
	l.writeJSON(l.cfg.DesiredFile, d)
	l.startNode()
	l.greet("l", lanAddr, "first customer")
	l.greet("m", lanAddr, "second customer")
	for name, want := range map[string]string{"vpn.example.com": "first customer", "vpn.example.net": "second customer"} {
		c := l.connectTo(name, l.pinOf(name), password, "--resolve="+name+":"+nodeAddr)
		c.says("SCRIPT connected 10.98.0.2")
		if got := l.hear(lanAddr); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		_ = c.cmd.Process.Kill() // the next client needs its device
		c.ended()
	}
}

// secondCustomer adds a VPC like the first one, with a host of the same
// address, and returns the gateway for it.
func (l *lab) secondCustomer() gwlink.Gateway {
	g, lan := l.id+"g", l.id+"m"
	l.ip("netns", "add", lan)
	l.t.Cleanup(func() { l.ip("netns", "del", lan) })
	l.ip("link", "add", "l0", "netns", lan, "type", "veth", "peer", "name", "g2", "netns", g)
	l.ip("-n", g, "link", "set", "g2", "master", "br1")
	l.ip("-n", lan, "addr", "add", lanAddr+"/24", "dev", "l0")
	for _, x := range [][2]string{{g, "g2"}, {lan, "l0"}} {
		l.ip("-n", x[0], "link", "set", x[1], "up")
	}
	l.ip("-n", lan, "route", "add", "default", "via", "10.77.0.1")
	l.cfg.Networks["vpc2"] = agent.Network{Bridge: "br1", Address: netip.MustParsePrefix("10.77.0.1/24")}
	id := l.gateway + "-2"
	l.t.Cleanup(func() { _ = netcfg.Remove(id, nil) })
	s := l.server
	s.ID, s.ServerNames = s.ID+"-2", []string{"vpn.example.net"}
	return gwlink.Gateway{ID: id, State: gwlink.GatewayActive, Network: "vpc2", SessionLimit: 10, SSLServers: []gwlink.SSLServer{s}}
}

// greet answers every caller of a LAN host with a text.
func (l *lab) greet(ns, addr, text string) {
	l.t.Helper()
	var ln net.Listener
	err := l.within(ns, func() (err error) {
		ln, err = net.Listen("tcp", net.JoinHostPort(addr, "7100"))
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(c, text)
			_ = c.Close()
		}
	}()
}

// hear returns what the LAN host behind the tunnel says.
func (l *lab) hear(addr string) string {
	l.t.Helper()
	c, err := l.dial("c", net.JoinHostPort(addr, "7100"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	text, err := io.ReadAll(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}
