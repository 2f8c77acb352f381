/** The largest configuration that Futago accepts. Each limit is checked before anything is sized by the input. */

/** Bytes of UTF-8 text. */
export const documentBytesMax = 24 * 1024 * 1024;
/** Objects and lists inside each other. */
export const depthMax = 32;
/** Problems told at once; a document with more has one reason for most of them. */
export const problemsMax = 1_000;
export const interfacesMax = 64;
export const addressesPerInterfaceMax = 32;
export const routesMax = 1_024;
export const witnessesMax = 8;
export const groupsMax = 16;
export const virtualRoutersPerGroupMax = 255;
export const addressesPerVirtualRouterMax = 255;
/** Virtual addresses of all groups together. */
export const vipsMax = 1_024;
export const tracksPerGroupMax = 16;
export const poolsMax = 1_024;
/** As many as one ring of the balancer holds (SERVICE_BACKENDS_MAX in hal/xdp/consts.h). */
export const backendsPerPoolMax = 128;
/** Addresses of services; a service on a virtual router with several counts for each. The loader sizes the BPF maps for as many. */
export const servicesMax = 1_024;
/** Entries of `allow` or of `deny` of one service. */
export const accessEntriesPerServiceMax = 1_024;
/** Entries of all services together, once for each of their addresses (ACCESS_MAX in hal/xdp/consts.h). */
export const accessEntriesMax = 16_384;
/** Connections that the balancer's tables can be made to hold. */
export const flowsMin = 1_024;
export const flowsMax = 4_194_304;
