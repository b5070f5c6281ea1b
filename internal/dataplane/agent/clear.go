package agent

import (
	"errors"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
)

// Clear removes the networks of all gateways that the state in stateDir knows,
// for a node that is taken out of service or a demo that ends. Run leaves them
// for the next process; it must not be running. Sessions that could reconnect
// are left in the state and end when their cookie's life does.
func Clear(stateDir string) error {
	st, err := openStore(stateDir)
	if err != nil {
		return err
	}
	addresses := map[string]place{}
	if err := st.load("addresses", &addresses); err != nil && !errors.Is(err, errNoState) {
		return fmt.Errorf("clearing the node: %w", err)
	}
	var errs []error
	for id := range addresses {
		if err := netcfg.Remove(id, nil); err != nil {
			errs = append(errs, err)
			continue
		}
		delete(addresses, id)
	}
	return errors.Join(append(errs, st.save("addresses", addresses))...)
}
