// Package fault marks the points between two steps at which a test may cut the
// power: business.md section 17.5.
//
// In a build with the tag "fault" the process that has SKYBRIDGE_FAULT=name in
// its environment kills itself with SIGKILL when it comes to that point; in
// every other build Point does nothing and reads nothing. Releases are built
// without the tag.
package fault
