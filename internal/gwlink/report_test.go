package gwlink

import (
	"reflect"
	"strings"
	"testing"
)

// TestAReportSaysNothingOfWhatASessionReached holds SUP-6 and SUP-7 at the
// contract: what a node can tell of sessions is exactly this.
func TestAReportSaysNothingOfWhatASessionReached(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   any
		want string
	}{
		{Report{}, "node sent generation version gateways opened closed unknown live"},
		{SessionOpened{}, "session gateway server client source_ip inner inner6 at"},
		{SessionClosed{}, "session at reason bytes_in bytes_out"},
		{Counters{}, "session bytes_in bytes_out packets_in packets_out transport client_version"},
	} {
		var got []string
		for i := range reflect.TypeOf(c.of).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(c.of).Field(i).Tag.Get("json"), ",")
			got = append(got, name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%T: got %s, want %s: the policy says first what is told", c.of, got, c.want)
		}
	}
}
