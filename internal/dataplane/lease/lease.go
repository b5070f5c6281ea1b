// Package lease hands out inner addresses of one address pool.
//
// It does not route and does not check packets. The pool's first host is the
// gateway itself and never leased; nor are, for IPv4, the network and
// broadcast addresses.
//
//	free ──Take──▶ leased ──Release──▶ free (remembered for its last holder)
//
// Invariants: an address has at most one lease; a holder that comes back gets
// its former address while that is free, and others get it last.
package lease

import (
	"net/netip"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of this package.
var (
	ErrFull  = errs.New(errs.Unavailable, "lease.pool_full")
	ErrTaken = errs.New(errs.Conflict, "lease.address_taken")
	ErrRange = errs.New(errs.Invalid, "lease.address_outside_pool")
)

// Pool leases the addresses of one prefix. It is safe for concurrent use.
type Pool struct {
	prefix netip.Prefix

	mu     sync.Mutex
	leased map[netip.Addr]string // address to holder
	last   map[string]netip.Addr // holder to its last released address
	former map[netip.Addr]string // the inverse of last
	freed  []netip.Addr          // released addresses, oldest first; may hold stale entries
	listed map[netip.Addr]bool   // those in freed
	kept   map[netip.Addr]string // fixed addresses and whose they are
	next   netip.Addr            // lowest address never handed out
}

// New returns a pool of all host addresses of prefix but the first.
func New(prefix netip.Prefix) *Pool {
	p := &Pool{
		prefix: prefix.Masked(), leased: map[netip.Addr]string{},
		last: map[string]netip.Addr{}, former: map[netip.Addr]string{},
		listed: map[netip.Addr]bool{},
	}
	p.next = p.Gateway().Next()
	return p
}

// Gateway is the pool's first host address, the gateway's own.
func (p *Pool) Gateway() netip.Addr { return p.prefix.Addr().Next() }

// Prefix is the pool's prefix.
func (p *Pool) Prefix() netip.Prefix { return p.prefix }

// Take leases an address to holder: its former one if that is free, else one
// never used, else the one released longest ago. Each call leases one more
// address. It returns ErrFull when none is left.
func (p *Pool) Take(holder string) (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.last[holder]; ok && p.freeLocked(a, holder) {
		return p.leaseLocked(a, holder), nil
	}
	for p.usable(p.next) {
		a := p.next
		p.next = a.Next()
		if p.freeLocked(a, holder) {
			return p.leaseLocked(a, holder), nil
		}
	}
	for len(p.freed) > 0 {
		a := p.freed[0]
		p.freed = p.freed[1:]
		delete(p.listed, a)
		if p.freeLocked(a, holder) {
			return p.leaseLocked(a, holder), nil
		}
	}
	return netip.Addr{}, ErrFull
}

// Keep reserves addresses for holders: Take gives them to no other. It replaces
// what was kept before; a lease that another holds goes on until it ends.
func (p *Pool) Keep(fixed map[netip.Addr]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for a := range p.kept {
		if _, still := fixed[a]; !still && p.usable(a) && a.Less(p.next) {
			p.freeAgainLocked(a) // Take may have passed it
		}
	}
	p.kept = fixed
}

// freeLocked tells whether Take may give a to holder.
func (p *Pool) freeLocked(a netip.Addr, holder string) bool {
	if _, taken := p.leased[a]; taken {
		return false
	}
	owner, kept := p.kept[a]
	return !kept || owner == holder
}

func (p *Pool) freeAgainLocked(a netip.Addr) {
	if !p.listed[a] {
		p.freed = append(p.freed, a)
		p.listed[a] = true
	}
}

// TakeExactly leases the address a to holder, for a fixed address or for a
// session restored after a restart.
func (p *Pool) TakeExactly(a netip.Addr, holder string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.usable(a) || a.Less(p.Gateway().Next()) {
		return ErrRange
	}
	if _, taken := p.leased[a]; taken {
		return ErrTaken
	}
	p.leaseLocked(a, holder)
	return nil
}

// Release ends the lease of a. Releasing a free address does nothing.
func (p *Pool) Release(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	holder, ok := p.leased[a]
	if !ok {
		return
	}
	delete(p.leased, a)
	if old, ok := p.last[holder]; ok {
		delete(p.former, old)
	}
	p.last[holder], p.former[a] = a, holder
	p.freeAgainLocked(a)
}

// Free is how many more addresses of an IPv4 pool anybody could get: those that
// are kept for a holder are none of them.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	const own = 3 // network, gateway, broadcast
	free := 1<<(p.prefix.Addr().BitLen()-p.prefix.Bits()) - own - len(p.leased)
	for a := range p.kept {
		if _, leased := p.leased[a]; !leased && p.usable(a) {
			free--
		}
	}
	return max(free, 0)
}

// Len is the number of addresses leased now.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.leased)
}

func (p *Pool) leaseLocked(a netip.Addr, holder string) netip.Addr {
	p.leased[a] = holder
	if former, ok := p.former[a]; ok {
		delete(p.last, former)
		delete(p.former, a)
	}
	return a
}

// usable tells whether a may be leased at all: inside the prefix and, for
// IPv4, not the broadcast address.
func (p *Pool) usable(a netip.Addr) bool {
	if !a.IsValid() || !p.prefix.Contains(a) {
		return false
	}
	return a.Is6() || p.prefix.Contains(a.Next())
}
