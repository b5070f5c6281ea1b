package openconnect

import (
	"crypto/sha1"
	"encoding/xml"
	"fmt"
	"net/url"
)

// ProfilePath is where clients fetch the profile with their session's cookie.
const ProfilePath = "/profiles/profile.xml"

// Profile is the file that Cisco's clients keep of a server: their list of hosts
// and how they reconnect. Nothing in it asks them to update themselves.
type Profile struct {
	HostName    string // shown in the list
	HostAddress string // name, with ":port" if that is not 443
}

// AppendTo appends the XML document.
func (p Profile) AppendTo(b []byte) []byte {
	w := &writer{}
	w.buf.WriteString(xml.Header)
	w.open("AnyConnectProfile", "xmlns", "http://schemas.xmlsoap.org/encoding/")
	w.open("ClientInitialization")
	w.plain("AutomaticCertSelection", "true", "UserControllable", "true")
	w.plain("LocalLanAccess", "false", "UserControllable", "true")
	w.open("AutoReconnect", "UserControllable", "false")
	w.buf.WriteString("true")
	w.plain("AutoReconnectBehavior", "ReconnectAfterResume")
	w.close("AutoReconnect")
	w.plain("AutoUpdate", "false", "UserControllable", "false")
	w.close("ClientInitialization")
	w.open("ServerList")
	w.open("HostEntry")
	w.plain("HostName", p.HostName)
	w.plain("HostAddress", p.HostAddress)
	w.close("HostEntry")
	w.close("ServerList")
	w.close("AnyConnectProfile")
	return append(b, w.buf.Bytes()...)
}

// SHA1 is the upper-case hexadecimal hash by which clients know certificates
// and profiles.
func SHA1(b []byte) string {
	return fmt.Sprintf("%X", sha1.Sum(b))
}

// ConfigCookie is the value of the cookie webvpnc: what Complete says of the
// server's certificate and profile, for clients that do not read its config.
func ConfigCookie(certSHA1, profilePath, profileSHA1 string) string {
	return "bu:/&p:t&iu:1/&sh:" + certSHA1 + "&lu:/+CSCOT+/translation-table?textdomain%3DAnyConnect%26type%3Dmanifest" +
		"&fu:" + url.QueryEscape(profilePath[1:]) + "&fh:" + profileSHA1
}
