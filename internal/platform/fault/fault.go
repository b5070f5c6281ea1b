// Package fault marks the points between two steps at which a test may cut the
// power.
//
// In a build with the tag "fault" a process kills itself with SIGKILL when it
// comes to a point that was chosen:
//
//	SKYBRIDGE_FAULT=name      each time it comes there
//	SKYBRIDGE_FAULT_DIR=dir   once for each file dir/name, which is removed
//	                          before dying, so that the next process goes on
//
// In every other build Point does nothing and reads nothing. Releases are built
// without the tag.
package fault
