package openconnect

import (
	"encoding/xml"
	"testing"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	raw := Profile{HostName: `Head & "Office" <1>`, HostAddress: "vpn.example.com:8443"}.AppendTo(nil)
	var got struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/encoding/ AnyConnectProfile"`
		Update  string   `xml:"ClientInitialization>AutoUpdate"`
		Hosts   []struct {
			HostName, HostAddress string
		} `xml:"ServerList>HostEntry"`
	}
	if err := xml.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Hosts) != 1 || got.Hosts[0].HostName != `Head & "Office" <1>` || got.Hosts[0].HostAddress != "vpn.example.com:8443" || got.Update != "false" {
		t.Errorf("got %+v", got)
	}
}

func TestConfigCookie(t *testing.T) {
	t.Parallel()
	want := "bu:/&p:t&iu:1/&sh:AB12&lu:/+CSCOT+/translation-table?textdomain%3DAnyConnect%26type%3Dmanifest&fu:profiles%2Fprofile.xml&fh:CD34"
	if got := ConfigCookie("AB12", ProfilePath, "CD34"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
