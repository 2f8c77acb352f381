/** The bundler takes style sheets where they are imported. */
declare module "*.css";
