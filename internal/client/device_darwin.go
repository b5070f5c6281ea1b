package client

const device = "mac-intel" // what servers are told this machine is: the only name that they know
