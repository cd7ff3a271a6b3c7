// Package trend remembers how the numbers of a process went over the last while:
// it looks at the metrics at a steady pace and keeps a few series of numbers made
// of them, in memory that does not grow.
package trend
