//go:build !linux

package client

import (
	"errors"
	"syscall"

	"github.com/skybridge-cloud/skybridge/internal/netio"
)

// control refuses a mark and a segment, which only Linux has.
func (c Config) control() func(network, address string, raw syscall.RawConn) error {
	if c.Mark == 0 && c.Segment == 0 {
		return nil
	}
	return func(string, string, syscall.RawConn) error { return errors.ErrUnsupported }
}

// pathMTU is an Ethernet's: the probes of the UDP channel find what is less.
func pathMTU(*netio.Conn, bool) int { return 1500 }
