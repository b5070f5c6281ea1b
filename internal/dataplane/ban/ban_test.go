package ban

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var (
	start = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	ann   = netip.MustParseAddr("198.51.100.1")
	bob   = netip.MustParseAddr("198.51.100.2")
)

func TestASourceIsBannedAtItsScore(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		failures int
		wasted   int
		banned   bool
	}{
		{"nothing", 0, 0, false},
		{"seven wrong factors", 7, 0, false},
		{"eight wrong factors", 8, 0, true},
		{"79 connections", 0, 79, false},
		{"80 connections", 0, 80, true},
		{"seven and nine", 7, 9, false},
		{"seven and ten", 7, 10, true},
	}
	for _, c := range cases {
		b := New(DefaultMax)
		made := 0
		for range c.failures {
			if b.Failed(ann, "", start) {
				made++
			}
		}
		for range c.wasted {
			if b.Wasted(ann, "", start) {
				made++
			}
		}
		if got := b.Banned(ann, start); got != c.banned || (made == 1) != c.banned {
			t.Errorf("%s: banned %v, told %d times, want %v", c.name, got, made, c.banned)
		}
		if b.Banned(bob, start) {
			t.Errorf("%s: another source is banned", c.name)
		}
	}
}

func TestABanEndsByItselfAndIsNotProlonged(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	for range 8 {
		b.Failed(ann, "", start)
	}
	for i := range 100 {
		if b.Failed(ann, "", start.Add(time.Duration(i)*time.Second)) {
			t.Fatal("a ban was made twice")
		}
	}
	if !b.Banned(ann, start.Add(Reset-time.Second)) {
		t.Error("the ban ended early")
	}
	if b.Banned(ann, start.Add(Reset)) {
		t.Error("the ban went on")
	}
	if b.Failed(ann, "", start.Add(Reset)) {
		t.Error("the score of before counts on")
	}
}

func TestPointsAreForgottenAfterTheLast(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	now := start
	for range 30 { // one an hour is nobody's attack
		b.Failed(ann, "", now)
		now = now.Add(time.Hour)
	}
	if b.Banned(ann, now) {
		t.Error("failures an hour apart made a ban")
	}
}

func TestSuccessForgivesConnectionsOnly(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	for range 200 { // an office: each login leaves a connection behind
		b.Wasted(ann, "", start)
		b.Succeeded(ann, start)
	}
	if b.Banned(ann, start) || len(b.scores) != 0 {
		t.Errorf("logins that succeed made a ban, or %d scores stay", len(b.scores))
	}
	for range 8 {
		b.Failed(bob, "", start)
		b.Succeeded(bob, start)
	}
	if !b.Banned(bob, start) {
		t.Error("wrong factors were forgiven for a login")
	}
}

func TestIPv6CountsByNetwork(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	for i := range 8 {
		b.Failed(netip.MustParseAddr(fmt.Sprintf("2001:db8:0:1::%x", i+1)), "", start)
	}
	for text, want := range map[string]bool{"2001:db8:0:1:ffff::1": true, "fe80::1%eth0": false, "2001:db8:0:2::1": false} {
		if got := b.Banned(netip.MustParseAddr(text), start); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	for range 8 {
		b.Failed(netip.MustParseAddr("::ffff:198.51.100.1"), "", start)
	}
	if !b.Banned(ann, start) || b.Banned(bob, start) {
		t.Error("a mapped address is not its IPv4 address")
	}
}

func TestWithoutALimitNobodyIsBanned(t *testing.T) {
	t.Parallel()
	b := New(0)
	for range 1000 {
		b.Failed(ann, "", start)
		b.Wasted(ann, "", start)
	}
	b.Succeeded(ann, start)
	if b.Banned(ann, start) || len(b.scores) != 0 {
		t.Error("a board without a limit counts")
	}
}

func TestMemoryIsBoundedAndBansStay(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	b.room = 64
	for range 8 {
		b.Failed(ann, "", start)
	}
	for i := range 10_000 {
		b.Wasted(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), "", start)
	}
	if len(b.scores) > b.room {
		t.Errorf("got %d scores, want at most %d", len(b.scores), b.room)
	}
	if !b.Banned(ann, start) {
		t.Error("a flood of addresses lifted a ban")
	}
	full := len(b.scores)
	b.Wasted(bob, "", start.Add(Reset)) // everybody's time is over
	if len(b.scores) > full || b.Banned(ann, start.Add(Reset)) {
		t.Errorf("got %d scores after all were over", len(b.scores))
	}
}

func TestPardonForgetsWhatOneClientEarnedAndNoMore(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		mine, others int // wrong factors
		wasted       int // connections of mine
		banned       bool
	}{
		{"mine alone", 8, 0, 0, false},
		{"mine and connections", 4, 0, 60, false},
		{"both together", 4, 4, 0, false},
		{"others alone", 0, 8, 0, true},
		{"unknown names", 0, 8, 0, true},
	}
	for _, c := range cases {
		b := New(DefaultMax)
		other := "sslcli-2"
		if c.name == "unknown names" {
			other = ""
		}
		for range c.mine {
			b.Failed(ann, "sslcli-1", start)
		}
		for range c.wasted {
			b.Wasted(ann, "sslcli-1", start)
		}
		for range c.others {
			b.Failed(ann, other, start)
		}
		if c.mine+c.others < 8 && c.wasted < 40 || !b.Banned(ann, start) {
			t.Fatalf("%s: not banned before", c.name)
		}
		b.Pardon("sslcli-1")
		if got := b.Banned(ann, start); got != c.banned {
			t.Errorf("%s: banned %v after pardon, want %v", c.name, got, c.banned)
		}
		if c.others == 0 && len(b.scores) != 0 {
			t.Errorf("%s: %d scores stay", c.name, len(b.scores))
		}
	}
}

func TestTheClientsOfOneSourceAreBounded(t *testing.T) {
	t.Parallel()
	b := New(DefaultMax)
	for i := range DefaultMax {
		b.Wasted(ann, fmt.Sprintf("sslcli-%d", i), start)
	}
	if n := len(b.scores[Source(ann)].shares); n > maxShares+1 || !b.Banned(ann, start) {
		t.Errorf("got %d shares, banned %v", n, b.Banned(ann, start))
	}
}
