/** The largest configuration that Futago accepts. Each limit is checked before anything is sized by the input. */

/** Bytes of UTF-8 text. */
export const documentBytesMax = 8 * 1024 * 1024;
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
export const poolsMax = 256;
/** As many as one ring of the balancer holds (SERVICE_BACKENDS_MAX in hal/xdp/consts.h). */
export const backendsPerPoolMax = 128;
/** Addresses of services; a service on a virtual router with several counts for each (SERVICES_MAX in hal/xdp/consts.h). */
export const servicesMax = 256;
