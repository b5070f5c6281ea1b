package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
)

const atOnce = 64 // connects under way

// idle opens n sessions with TLS and DTLS up and looks at the gateway's memory
// when nothing has happened for a while.
func idle(n int, settle time.Duration, heap string) ([]figure, error) {
	g, err := startGateway(n, heap)
	if err != nil {
		return nil, err
	}
	before, err := g.resident()
	if err != nil {
		return nil, errors.Join(err, g.stop())
	}
	kept, err := openAll(g, n)
	if err != nil {
		return nil, errors.Join(err, g.stop())
	}
	time.Sleep(settle)
	after, err := g.resident()
	if err := errors.Join(err, g.stop()); err != nil {
		return nil, err
	}
	for _, k := range kept {
		_ = k.Close()
	}
	return []figure{{
		Row: "6", Name: "idle-sessions", Unit: "MB", Value: after / 1e6, Goal: "<= 600",
		More: map[string]float64{"sessions": float64(n), "bytes_per_session": (after - before) / float64(n), "before_mb": before / 1e6},
	}}, nil
}

// openAll opens sessions 0 ... n-1, each with an association.
func openAll(g *child, n int) (kept []*client.Session, first error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				s, err := openOne(g, i)
				mu.Lock()
				if err != nil && first == nil {
					first = fmt.Errorf("session %d: %w", i, err)
				}
				if err == nil {
					kept = append(kept, s)
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return kept, first
}

func openOne(g *child, i int) (*client.Session, error) {
	s, err := g.connect(context.Background(), i)
	if err != nil {
		return nil, err
	}
	if err := handshake(g.cfg.Server, s, i); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// handshake makes the DTLS association of session i. Its socket is closed
// afterwards, since open files are few; the address, one of its own for each
// session, comes to no other.
func handshake(server string, s *client.Session, i int) error {
	c, err := s.NewDTLS()
	if err != nil {
		return err
	}
	own := &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}}
	u, err := own.Dial("udp", server)
	if err != nil {
		return err
	}
	flight, err := c.Start()
	buf := make([]byte, 2048)
	for tries := 0; err == nil && c.Association() == nil; {
		for _, b := range flight {
			_, _ = u.Write(b) // a lost one is repeated
		}
		_ = u.SetReadDeadline(time.Now().Add(c.Timeout()))
		n, readErr := u.Read(buf)
		if readErr != nil {
			if tries++; tries > 8 {
				err = readErr
			}
			flight = c.OnTimer()
			continue
		}
		res, handleErr := c.Handle(buf[:n])
		flight, err = res.Send, handleErr
	}
	return errors.Join(err, u.Close())
}
