//go:build linux

package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

func TestPacketsGoBothWays(t *testing.T) {
	t.Parallel()
	cases := []struct {
		channel    string
		dtls       bool
		extensions []string
	}{
		{"tls", false, nil},
		{"dtls", true, nil},
		{"tls", false, []string{"coalesce", "gso"}},
		{"tls", false, []string{"coalesce"}},
		{"tls", false, []string{"gso"}},
	}
	for _, c := range cases {
		t.Run(c.channel, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.cfg.DTLS, b.cfg.Extensions = c.dtls, c.extensions
			s := b.run(c.channel)
			inner := s.Tunnel().IPv4.Addr().String()
			up, down := udp(inner, "10.77.0.2", 1000), udp("10.77.0.2", inner, 900)
			for range 3 {
				b.host.Inject(up)
				if got := b.next(b.lan); !bytes.Equal(got, up) {
					t.Fatalf("up: got %d bytes, want %d", len(got), len(up))
				}
				b.lan.Inject(down)
				if got := b.next(b.host); !bytes.Equal(got, down) {
					t.Fatalf("down: got %d bytes, want %d", len(got), len(down))
				}
			}
			b.host.InjectFrame(super(inner, "10.77.0.2", 40))
			b.lan.InjectFrame(super("10.77.0.2", inner, 40))
			for _, q := range []*tuntest.Queue{b.lan, b.host} {
				for n := 0; n < 40*1360; {
					n += len(b.next(q)) - 40
				}
			}
		})
	}
}

func TestWrongPasswordIsToldAndNotRepeated(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if _, err := Login(context.Background(), b.cfg, Password("ann", []byte("wrong"))); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want %v", err, ErrRefused)
	}
}

func TestAnotherKeyThanThePinnedOneIsRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.cfg.Trust.Pins = []string{base64.StdEncoding.EncodeToString(make([]byte, 32))}
	if _, err := Login(context.Background(), b.cfg, Password("ann", []byte("pass"))); !errors.Is(err, trust.ErrPin) {
		t.Errorf("got %v, want %v", err, trust.ErrPin)
	}
}
