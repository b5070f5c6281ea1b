package netcfg

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Routes and addresses are changed by the IP Helper API (netioapi.h), names by
// the interface's own settings and the Name Resolution Policy Table.

var (
	iphlpapi           = windows.NewLazySystemDLL("iphlpapi.dll")
	aliasToLUID        = iphlpapi.NewProc("ConvertInterfaceAliasToLuid")
	luidToGUID         = iphlpapi.NewProc("ConvertInterfaceLuidToGuid")
	initializeRoute    = iphlpapi.NewProc("InitializeIpForwardEntry")
	createRoute        = iphlpapi.NewProc("CreateIpForwardEntry2")
	deleteRoute        = iphlpapi.NewProc("DeleteIpForwardEntry2")
	initializeAddress  = iphlpapi.NewProc("InitializeUnicastIpAddressEntry")
	createAddress      = iphlpapi.NewProc("CreateUnicastIpAddressEntry")
	deleteAddress      = iphlpapi.NewProc("DeleteUnicastIpAddressEntry")
	setInterface       = iphlpapi.NewProc("SetIpInterfaceEntry")
	setInterfaceDNS    = iphlpapi.NewProc("SetInterfaceDnsSettings") // from Windows 10, 2004
	flushResolverCache = windows.NewLazySystemDLL("dnsapi.dll").NewProc("DnsFlushResolverCache")
)

// status is what a function of the API returns, which is an error itself.
func status(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if r, _, _ := p.Call(args...); r != 0 {
		return windows.Errno(r)
	}
	return nil
}

// gone says that a thing to delete was not there.
func gone(err error) bool {
	return errors.Is(err, windows.ERROR_NOT_FOUND) || errors.Is(err, windows.ERROR_FILE_NOT_FOUND)
}

func (f family) number() uint16 {
	if f == v4 {
		return windows.AF_INET
	}
	return windows.AF_INET6
}

// sockaddr is an address as a SOCKADDR_INET.
func sockaddr(a netip.Addr) (out windows.RawSockaddrInet) {
	out.Family = familyOf(a).number()
	if a.Is4() {
		(*windows.RawSockaddrInet4)(unsafe.Pointer(&out)).Addr = a.As4()
	} else {
		(*windows.RawSockaddrInet6)(unsafe.Pointer(&out)).Addr = a.As16()
	}
	return out
}

// outside reads the system's routes for the default one with the least metric.
func outside(f family) (way, error) {
	var table *windows.MibIpForwardTable2
	if err := windows.GetIpForwardTable2(f.number(), &table); err != nil {
		return way{}, fmt.Errorf("listing routes: %w", err)
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	var best way
	least := ^uint32(0)
	for _, r := range table.Rows() {
		hop := nextHop(&r, f)
		if r.DestinationPrefix.PrefixLength == 0 && !hop.IsUnspecified() && r.Metric < least {
			best, least = way{Router: hop, Link: r.InterfaceLuid}, r.Metric
		}
	}
	if !best.Router.IsValid() {
		return best, fmt.Errorf("%w: no default route", ErrRoutes)
	}
	return best, nil
}

func nextHop(r *windows.MibIpForwardRow2, f family) netip.Addr {
	if f == v4 {
		return netip.AddrFrom4((*windows.RawSockaddrInet4)(unsafe.Pointer(&r.NextHop)).Addr)
	}
	return netip.AddrFrom16((*windows.RawSockaddrInet6)(unsafe.Pointer(&r.NextHop)).Addr)
}

// luid is a device's number, which is the same for its whole life.
func luid(device string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(device)
	if err != nil {
		return 0, err
	}
	var n uint64
	if err := status(aliasToLUID, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&n))); err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrDevice, device, err)
	}
	return n, nil
}

// routeBy is a route of ours as a row of the system's table.
func routeBy(f family, n netip.Prefix, w way) *windows.MibIpForwardRow2 {
	row := &windows.MibIpForwardRow2{}
	_, _, _ = initializeRoute.Call(uintptr(unsafe.Pointer(row))) // has no result
	row.InterfaceLuid = w.Link
	row.DestinationPrefix = windows.IpAddressPrefix{Prefix: sockaddr(n.Addr()), PrefixLength: uint8(n.Bits())}
	row.NextHop.Family = f.number()
	if w.Router.IsValid() {
		row.NextHop = sockaddr(w.Router)
	}
	row.Metric = 0
	return row
}

func addRoute(row *windows.MibIpForwardRow2) error {
	err := status(createRoute, uintptr(unsafe.Pointer(row)))
	if err != nil && !errors.Is(err, windows.ERROR_OBJECT_ALREADY_EXISTS) {
		return fmt.Errorf("%w: %w", ErrRoutes, err)
	}
	return nil
}

// routed is a route by the way outside.
func routed(f family, n netip.Prefix, w way) action {
	return action{
		do: func(context.Context) error { return addRoute(routeBy(f, n, w)) },
		undo: func(context.Context) error {
			if err := status(deleteRoute, uintptr(unsafe.Pointer(routeBy(f, n, w)))); err != nil && !gone(err) {
				return fmt.Errorf("%w: %w", ErrRoutes, err)
			}
			return nil
		},
	}
}

// inward is a route into the tunnel. The routes and addresses of a device that is
// gone went with it.
func inward(f family, n netip.Prefix, device string) action {
	return action{
		do: func(context.Context) error {
			link, err := luid(device)
			if err != nil {
				return err
			}
			return addRoute(routeBy(f, n, way{Link: link}))
		},
		undo: func(ctx context.Context) error {
			link, err := luid(device)
			if err != nil {
				return nil //nolint:nilerr // the device is gone
			}
			return routed(f, n, way{Link: link}).undo(ctx)
		},
	}
}

// dropped goes into the tunnel as well, which has no address of the family: no
// program finds one to send from.
func dropped(f family, n netip.Prefix, device string) action { return inward(f, n, device) }

// addressOf is an address of ours, alone on its link, as a row.
func addressOf(link uint64, a netip.Addr) *windows.MibUnicastIpAddressRow {
	const preferred = 4 // IpDadStatePreferred: nobody else is on the link
	row := &windows.MibUnicastIpAddressRow{}
	_, _, _ = initializeAddress.Call(uintptr(unsafe.Pointer(row))) // has no result
	row.InterfaceLuid, row.OnLinkPrefixLength, row.DadState = link, uint8(a.BitLen()), preferred
	*(*windows.RawSockaddrInet)(unsafe.Pointer(&row.Address)) = sockaddr(a)
	return row
}

func addressed(_ family, device string, a netip.Addr) action {
	return action{
		do: func(context.Context) error {
			link, err := luid(device)
			if err != nil {
				return err
			}
			err = status(createAddress, uintptr(unsafe.Pointer(addressOf(link, a))))
			if err != nil && !errors.Is(err, windows.ERROR_OBJECT_ALREADY_EXISTS) {
				return fmt.Errorf("%w: address of %s: %w", ErrDevice, device, err)
			}
			return nil
		},
		undo: func(context.Context) error {
			link, err := luid(device)
			if err != nil {
				return nil //nolint:nilerr // the device is gone
			}
			if err := status(deleteAddress, uintptr(unsafe.Pointer(addressOf(link, a)))); err != nil && !gone(err) {
				return fmt.Errorf("%w: address of %s: %w", ErrDevice, device, err)
			}
			return nil
		},
	}
}

// prepared gives the device its MTU and the best metric, so that its resolvers
// are asked first. Both go with the device.
func prepared(f family, p Plan) action {
	return action{do: func(context.Context) error {
		link, err := luid(p.Device)
		if err != nil {
			return err
		}
		row := &windows.MibIpInterfaceRow{Family: f.number(), InterfaceLuid: link}
		if err := windows.GetIpInterfaceEntry(row); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDevice, p.Device, err)
		}
		row.NlMtu, row.UseAutomaticMetric, row.Metric = uint32(p.MTU), 0, 0
		if f == v4 {
			row.SitePrefixLength = 0 // what was read is refused otherwise
		}
		if err := status(setInterface, uintptr(unsafe.Pointer(row))); err != nil {
			return fmt.Errorf("%w: mtu of %s: %w", ErrDevice, p.Device, err)
		}
		return nil
	}}
}

// policies are where the Name Resolution Policy Table keeps local rules
// ([MS-GPNRPT], section 2.2).
const policies = `SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig`

func policyName(device string) string { return "skyconnect-" + device }

// setNames gives the interface its resolvers and writes one policy.
func (s *system) setNames(_ change, p Plan) error {
	if len(p.DNS) == 0 {
		return nil
	}
	for _, f := range families {
		step()
		if err := setResolvers(f, p); err != nil {
			return fmt.Errorf("%w: %w", ErrResolvers, err)
		}
	}
	step()
	if err := writePolicy(policyName(p.Device), policyNames(p), joined(p.DNS, ";")); err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	_, _, _ = flushResolverCache.Call() // answers from before would be given on
	return nil
}

// interfaceDNS is DNS_INTERFACE_SETTINGS (netioapi.h), version 1.
type interfaceDNS struct {
	version             uint32
	flags               uint64
	domain              *uint16
	nameServer          *uint16
	searchList          *uint16
	registrationEnabled uint32
	registerAdapterName uint32
	enableLLMNR         uint32
	queryAdapterName    uint32
	profileNameServer   *uint16
}

// setResolvers gives a device its resolvers of a family; they go with it.
func setResolvers(f family, p Plan) error {
	const ipv6, nameServer, searchList = 1, 2, 4 // DNS_SETTING_*
	var own []netip.Addr
	for _, a := range p.DNS {
		if familyOf(a) == f {
			own = append(own, a)
		}
	}
	if len(own) == 0 {
		return nil
	}
	servers, err := windows.UTF16PtrFromString(joined(own, ","))
	if err != nil {
		return err
	}
	search, err := windows.UTF16PtrFromString(strings.Join(p.Search, ","))
	if err != nil {
		return err
	}
	settings := &interfaceDNS{version: 1, flags: nameServer | searchList, nameServer: servers, searchList: search}
	if f == v6 {
		settings.flags |= ipv6
	}
	link, err := luid(p.Device)
	if err != nil {
		return err
	}
	var id windows.GUID
	if err := status(luidToGUID, uintptr(unsafe.Pointer(&link)), uintptr(unsafe.Pointer(&id))); err != nil {
		return err
	}
	return callWithGUID(&id, settings)
}

// callWithGUID passes a GUID by value, which is a pointer to a copy by the calling
// convention of amd64, and two registers by that of arm64.
func callWithGUID(id *windows.GUID, settings *interfaceDNS) error {
	if runtime.GOARCH == "arm64" {
		words := (*[2]uint64)(unsafe.Pointer(id))
		return status(setInterfaceDNS, uintptr(words[0]), uintptr(words[1]), uintptr(unsafe.Pointer(settings)))
	}
	return status(setInterfaceDNS, uintptr(unsafe.Pointer(id)), uintptr(unsafe.Pointer(settings)))
}

func writePolicy(name string, names []string, servers string) error {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, policies+`\`+name, registry.SET_VALUE)
	if err != nil {
		return err
	}
	const version, genericServers = 2, 8
	return errors.Join(
		key.SetDWordValue("Version", version), key.SetDWordValue("ConfigOptions", genericServers),
		key.SetStringsValue("Name", names), key.SetStringValue("GenericDNSServers", servers), key.Close(),
	)
}

// unsetNames takes the policy away; the resolvers go with the interface.
func (s *system) unsetNames(_ change, p Plan) error {
	step()
	err := registry.DeleteKey(registry.LOCAL_MACHINE, policies+`\`+policyName(p.Device))
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	_, _, _ = flushResolverCache.Call()
	return nil
}
