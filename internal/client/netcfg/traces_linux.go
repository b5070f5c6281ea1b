package netcfg

import "github.com/vishvananda/netlink"

// Traces tells whether rules of ours lead packets in this machine's network: a
// tunnel is up, or a killed daemon left its own. Every user may ask.
func Traces() (bool, error) {
	for _, f := range families {
		all, err := netlink.RuleList(f.number())
		if err != nil && !noFamily(err) {
			return false, err
		}
		for _, r := range all {
			if r.Protocol == ours && r.Priority >= firstRule && r.Priority < lastRule+ruleBlock {
				return true, nil
			}
		}
	}
	return false, nil
}
