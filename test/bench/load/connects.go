package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

const (
	people      = 256 // who connect in turn; one who comes back too soon ends the own last session
	reportEvery = 2 * time.Second
)

// connects lets people connect at a fixed rate, whether those before are done or
// not, and takes the time from the first byte to the tunnel.
func connects(rate int, length time.Duration) ([]figure, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	p, err := newPlane(ctx, min(people, rate*int(length.Seconds())))
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.close() }()
	keys, err := p.s.GrantKeys(ctx)
	if err != nil {
		return nil, err
	}
	_, address, pin, err := serve(p, p, keys, newReflector(1), gwlink.SSLServer{ID: p.server.ID}, p.server.Gateway)
	if err != nil {
		return nil, err
	}
	go p.report(ctx)
	times, err := atRate(rate, length, func(i int) error {
		return p.one(ctx, client.Config{Permit: allowed{}, Server: address, Trust: trust.Anchors{Pins: []string{pin}}, DTLS: true}, i)
	})
	if len(times) == 0 {
		return nil, err
	}
	slices.Sort(times)
	at := func(share float64) float64 { return times[min(int(share*float64(len(times))), len(times)-1)].Seconds() }
	return []figure{{
		Row: "7", Name: "connects-p99", Unit: "s", Value: at(0.99), Goal: "<= 2",
		More: map[string]float64{"p50": at(0.5), "max": at(1), "connects": float64(len(times)), "rate": float64(rate)},
	}}, err
}

func (p *plane) report(ctx context.Context) {
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_ = p.tell(ctx) // the next one tells the rest
		case <-ctx.Done():
			return
		}
	}
}

// one is one connect of a person, whose tunnel is left at once.
func (p *plane) one(ctx context.Context, cfg client.Config, i int) error {
	who := p.users[i%len(p.users)]
	cookie, err := client.Login(ctx, cfg, client.Password(who.name, []byte(who.password)))
	if err != nil {
		return err
	}
	s, err := client.Connect(ctx, cfg, cookie)
	if err != nil {
		return err
	}
	return s.Close()
}

// atRate starts f at fixed times and returns how long each took that succeeded,
// and an error if one did not.
func atRate(rate int, length time.Duration, f func(int) error) (times []time.Duration, first error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	t := time.NewTicker(time.Second / time.Duration(rate))
	defer t.Stop()
	failed := 0
	for i := range int(length.Seconds()) * rate {
		due := <-t.C
		wg.Go(func() {
			err := f(i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				first = errors.Join(fmt.Errorf("%d connects failed, such as this", failed), err)
				return
			}
			times = append(times, time.Since(due))
		})
	}
	wg.Wait()
	return times, first
}
