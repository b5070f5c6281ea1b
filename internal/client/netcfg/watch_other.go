//go:build darwin || windows

package netcfg

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// looking is how often the addresses are compared: these systems have notices of
// their own, which this does not ask for yet.
const looking = 2 * time.Second

func (s *system) watch(ctx context.Context, own func() []string) (<-chan struct{}, error) {
	last, err := addressesOutside(own())
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	go func() {
		defer close(changed)
		t := time.NewTicker(looking)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if now, err := addressesOutside(own()); err == nil && now != last {
				last = now
				select {
				case changed <- struct{}{}:
				default: // one is waiting there already
				}
			}
		}
	}()
	return changed, nil
}

// addressesOutside lists the addresses of links that are up, but for our own.
func addressesOutside(own []string) (string, error) {
	links, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("listing links: %w", err)
	}
	var seen []string
	for _, l := range links {
		if slices.Contains(own, l.Name) || l.Flags&net.FlagUp == 0 || l.Flags&net.FlagLoopback != 0 {
			continue
		}
		all, err := l.Addrs()
		if err != nil {
			return "", fmt.Errorf("listing addresses: %w", err)
		}
		for _, a := range all {
			seen = append(seen, l.Name+" "+a.String())
		}
	}
	slices.Sort(seen)
	return strings.Join(seen, "\n"), nil
}
