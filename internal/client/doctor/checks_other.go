//go:build !linux

package doctor

import (
	"errors"
	"net/netip"
	"strings"
)

// The device and the resolver of these systems belong to their services.
func tunDevice() Check { return skipped("not_on_this_system") }

func resolver() Check { return skipped("not_on_this_system") }

func pathMTU(netip.AddrPort) (int, error) { return 0, errors.ErrUnsupported }

func refused(err error) bool { return err != nil && strings.Contains(err.Error(), "refused") }

// Routes are not looked at: the system's own words say more.
func routed(netip.Addr) bool { return true }

func astray(netip.Addr) (route, link string, yes bool) { return "", "", false }
